"""The devices whose kernels the same tests are run on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from endplate.numerics.backend.host import HostBackend
from endplate.numerics.interface import Backend


def devices() -> list[str]:
    """The processor; Warp's kernels compiled for the processor; a graphics card where there is one."""
    if find_spec("warp") is None:
        return ["numba", "warp-cpu"]
    from endplate.numerics.backend.warp_backend import cards

    return ["numba", "warp-cpu", *(["cuda"] if cards() else [])]


@pytest.fixture(params=devices())
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "numba":
        yield HostBackend()
        return
    pytest.importorskip("warp", reason="the extra gpu is not installed: no kernels of Warp to test")
    from endplate.numerics.backend.warp_backend import WarpBackend

    yield WarpBackend(request.param.removeprefix("warp-"))
