"""The mathematics behind the five notebooks, one small module per subject."""
