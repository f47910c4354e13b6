"""A digital spine T10-L5 with exact truth: the demo, the test fixture and the benchmark.

`make_phantom(PhantomSpec(...))` gives CT, labels and truth; `demo_spec()` is the built-in patient.
"""

from endplate.image.phantom.render import Phantom, make_labels, make_phantom
from endplate.image.phantom.spec import PHANTOM_LEVELS, Deformity, Node, PhantomSpec, Rods, demo_spec
from endplate.image.phantom.truth import LevelTruth, PedicleTruth, PhantomTruth

__all__ = [
    "PHANTOM_LEVELS",
    "Deformity",
    "LevelTruth",
    "Node",
    "PedicleTruth",
    "Phantom",
    "PhantomSpec",
    "PhantomTruth",
    "Rods",
    "demo_spec",
    "make_labels",
    "make_phantom",
]
