"""Measurements: ratios to a hand-written floor, in one run. Never a timed test."""
