"""Where kernels run: the processor's own (numba), or a graphics card's (Warp), behind one interface."""
