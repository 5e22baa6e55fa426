"""Audio and notes as files: decoding, encoding, tags, reading and writing in blocks, Standard MIDI Files.

What is heard in them is measured in `signal/`; where they are kept is `storage/`'s. No Dagster, no models.
"""
