"""The course of patients over time: a database of episodes, repairs, visits and scans, with every change kept."""
