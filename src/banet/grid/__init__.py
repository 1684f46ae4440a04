"""Grids, and averages from one to another that preserve area."""
