"""A track becomes stems: engines, which to use and in what order, and how good the stems are.

What is done to stems afterwards is restoration's and mixing's; what running any model takes is `models/`'s.
"""
