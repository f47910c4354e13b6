"""`endplate decide` and `endplate rules`."""
