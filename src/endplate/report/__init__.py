"""Case out: page, figures, document."""
