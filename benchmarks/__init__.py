"""Speed against peers, with the correctness check beside each ratio: `python -m benchmarks`."""
