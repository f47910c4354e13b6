"""K2HPO4 and hydroxyapatite: the same X-rays, different mg/cm3. The only place where one becomes the other."""

from __future__ import annotations

import numpy as np

from endplate.cited import cited

K2HPO4_PER_HA_80_KVP = cited(
    0.86, "1", "Goodsitt, Bone Miner 1992: K2HPO4/HA at 80 kVp, intercept about 0", "verified", cite="goodsitt_1992"
)
K2HPO4_PER_HA_140_KVP = cited(
    0.81, "1", "Goodsitt, Bone Miner 1992: K2HPO4/HA at 140 kVp, intercept about 0", "verified", cite="goodsitt_1992"
)
LOW_KVP = cited(
    80.0, "kV", "Goodsitt, Bone Miner 1992: lower tube voltage of the comparison", "verified", cite="goodsitt_1992"
)
HIGH_KVP = cited(
    140.0, "kV", "Goodsitt, Bone Miner 1992: upper tube voltage of the comparison", "verified", cite="goodsitt_1992"
)
ASSUMED_KVP = cited(120.0, "kV", "the commonest tube voltage of abdominal CT; said wherever it is assumed", "design")


def k2hpo4_per_ha(kvp: float | None) -> float:
    """K2HPO4-equivalent density of 1 mg/cm3 hydroxyapatite at a tube voltage; 120 kVp where it is unknown."""
    at = float(ASSUMED_KVP if kvp is None else kvp)
    return float(np.interp(at, [LOW_KVP, HIGH_KVP], [K2HPO4_PER_HA_80_KVP, K2HPO4_PER_HA_140_KVP]))
