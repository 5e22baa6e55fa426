"""vNNNN_what.py: each names the one before it. One that was released is never changed: the next mends it."""
