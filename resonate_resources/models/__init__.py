"""What running a model takes, whichever it is: weights and their hashes, device, precision, chunks, workers.

What a model is for, and which one is run, belongs to the capability that asks for it.
"""
