"""Measurements: ratios to a hand-written baseline, in one run. Never a timed test."""
