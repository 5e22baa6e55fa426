"""The conductor: listens to a planned mix and makes better wishes, by moves that are bounded, measured and told.

Rules and language models work at the same desk, with the same two tools. No audio is rendered here.
"""
