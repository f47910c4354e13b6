"""Three-valued logic, expressions, decision lists and scores: the language of the rules."""
