"""Notes become stems again, played by instruments of our own at the level of the stems that they were heard in.

Hearing the notes is transcription's.
"""
