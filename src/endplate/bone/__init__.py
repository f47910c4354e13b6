"""CT to density to material."""
