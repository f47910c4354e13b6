"""The acceptance table: `python -m verification`."""
