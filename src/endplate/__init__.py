"""endplate: from a spine CT with vertebra labels to what is broken, how dense and how strong.

Research software, not a medical device.
"""

__version__ = "0.1.0"
