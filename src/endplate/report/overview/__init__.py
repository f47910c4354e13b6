"""The first screen: the answer in five lines, repairs side by side, which guidelines would treat, next steps."""
