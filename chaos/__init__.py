"""Breaks things while the product runs, and counts: no text lost, none twice, none to the wrong person (README.md)."""
