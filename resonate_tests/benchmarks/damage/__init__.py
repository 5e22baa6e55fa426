"""Damages of known kind and size, and how far a recording is from the clean truth."""
