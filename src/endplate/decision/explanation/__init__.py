"""Explanations of a verdict, what-if questions, and the list of all rules."""
