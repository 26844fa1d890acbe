"""Measurements, one script per question, each side by side with a peer in one run. See README.md for results."""
