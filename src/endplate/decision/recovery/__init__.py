"""Recovery: the course to expect, whether a patient follows it, and what the trials behind it found."""
