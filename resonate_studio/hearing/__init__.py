"""What is made of recordings for the ear and the eye alone: light copies, waveforms, spectrograms, notes, listening
tests. All of it can be made again at any time, but for the results of listening tests.

No stage stands here, and nothing that a stage is made from.
"""
