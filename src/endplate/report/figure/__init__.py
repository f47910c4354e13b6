"""Pictures of a case, each one file: drawn as SVG so that they stay sharp, small and readable by machines."""
