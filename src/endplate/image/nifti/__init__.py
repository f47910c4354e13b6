"""Read and write NIfTI; the flip from RAS to LPS happens here and nowhere else."""

from endplate.image.nifti.file import NiftiImage, read_nifti
from endplate.image.nifti.meaning import HU, Meaning
from endplate.image.nifti.write import write_box, write_labels, write_volume

__all__ = ["HU", "Meaning", "NiftiImage", "read_nifti", "write_box", "write_labels", "write_volume"]
