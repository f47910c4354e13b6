"""Rule sets and rule books, read from guideline and knowledge files."""
