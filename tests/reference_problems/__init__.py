"""Least-squares problems with known answers."""
