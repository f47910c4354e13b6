"""The one place where a device is chosen by name."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib.util import find_spec

from endplate.errors import OptionError
from endplate.numerics.backend.host import HostBackend
from endplate.numerics.interface import Backend, Device

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


@cache
def choose(device: Device) -> Backend:
    """The kernels of a device.

    Parameters
    ----------
    device : {"cpu", "cuda"}
        The processor, or the first graphics card of NVIDIA.

    Returns
    -------
    Backend
        One and the same at each call.

    Raises
    ------
    OptionError
        An unknown name, no such card, or the libraries for it are not installed.
    """
    if device == "cpu":
        return HostBackend()
    check(device)
    from endplate.numerics.backend.warp_backend import WarpBackend

    return WarpBackend("cuda")


def check(device: Device) -> None:
    """Refuse a device that is not there, before anything is computed.

    Raises
    ------
    OptionError : an unknown name, no such card, or the libraries for it are not installed.
    """
    if device == "cpu":
        return
    if device != "cuda":
        raise OptionError(f"unknown device {device!r}", "", "choose cpu or cuda")
    if find_spec("warp") is None:
        raise OptionError("device cuda", "Warp, which runs it, is not installed", "pip install 'endplate[gpu]', or cpu")
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        raise OptionError("device cuda", "this computer has no NVIDIA driver", "choose cpu") from None
    from endplate.numerics.backend.warp_backend import cards

    if not cards():
        raise OptionError("device cuda", "the NVIDIA driver finds no graphics card", "choose cpu")
