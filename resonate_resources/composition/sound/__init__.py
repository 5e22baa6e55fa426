"""A plan made audible: what plays each part, how it is mixed, and the stems that come out."""
