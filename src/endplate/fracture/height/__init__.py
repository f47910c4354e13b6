"""Heights of one body: where it begins and ends, patches, repeats."""
