"""What a reader says of a scan: other level names, a level set aside, a grade, fracture or none; and its effect."""
