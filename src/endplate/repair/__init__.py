"""Rehearse a repair: the needle's path, the balloon, the cement, and what they change in this bone."""
