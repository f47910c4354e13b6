"""Verdicts of rule sets with reasons and sensitivities."""
