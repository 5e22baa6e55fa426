"""What a track is made of: chords, heard in the whole track and told beat by beat.

What intake and routing need to know early is profiling's.
"""
