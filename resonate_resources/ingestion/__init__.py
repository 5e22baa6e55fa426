"""A file that came in becomes a track: it is looked at, named by its content, decoded, or refused with a reason.

Where files come from is `storage/`'s, how they are decoded `recordings/`'s.
"""
