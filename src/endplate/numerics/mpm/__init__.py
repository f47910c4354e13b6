"""Material points: large strain on a fixed grid, with the density carried along."""
