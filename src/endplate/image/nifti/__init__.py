"""Read and write NIfTI; the flip from RAS to LPS happens here and nowhere else."""

from endplate.image.nifti.file import NiftiImage, read_nifti, write_labels, write_volume

__all__ = ["NiftiImage", "read_nifti", "write_labels", "write_volume"]
