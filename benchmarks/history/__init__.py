"""Kernels over the commits, by asv: each as a ratio to a fixed piece of arithmetic in the same run."""
