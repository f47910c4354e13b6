"""What the viewer of the workbench shows of a case: scans cropped to the spine, surfaces, places, needle walls."""
