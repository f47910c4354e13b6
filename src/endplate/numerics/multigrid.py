"""The preconditioner (first form: diagonal scaling)."""
from __future__ import annotations
import numpy as np
from endplate.numerics.operator import ElasticOperator

class Multigrid:
    """Diagonal scaling until the hierarchy is in place."""
    def __init__(self, mesh, modulus_mpa, poisson, free, element, lanes):
        self.args = (mesh, poisson, element, lanes); self.free = free; self.nbytes = lanes.nbytes
        self.set_modulus(modulus_mpa)
    def set_modulus(self, modulus_mpa):
        """Replace the moduli."""
        mesh, poisson, element, lanes = self.args
        d = ElasticOperator(mesh, modulus_mpa, poisson, element, lanes=lanes).diagonal().T
        self.inverse = np.where(self.free, 1 / d, 0).astype(np.float32)
    def cycle(self, r):
        """Scale."""
        return (r * self.inverse).astype(np.float32)
