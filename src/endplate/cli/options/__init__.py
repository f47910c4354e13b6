"""The options of the verbs, grouped as `--help` shows them."""
