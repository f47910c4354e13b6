"""Questionnaires as numbers: scored with partial answers, with the change that matters and the error of measuring.

No instrument's wording is here: EQ-5D, ODI and SF-36 are licensed.
"""

from endplate.patient.scale.change import SCALES, Scale, Score

__all__ = ["SCALES", "Scale", "Score"]
