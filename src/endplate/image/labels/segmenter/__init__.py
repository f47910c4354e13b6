"""Programs that make vertebra labels, each run as a process of its own: the ones known here, and plug-ins."""

from endplate.image.labels.segmenter.choice import SegmenterChoice
from endplate.image.labels.segmenter.plugin import Request, Segmenter
from endplate.image.labels.segmenter.registry import known_segmenters
from endplate.image.labels.segmenter.run import Segmented, check_choice, run_segmenter

__all__ = [
    "Request",
    "Segmented",
    "Segmenter",
    "SegmenterChoice",
    "check_choice",
    "known_segmenters",
    "run_segmenter",
]
