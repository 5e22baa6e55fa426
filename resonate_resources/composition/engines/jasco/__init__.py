"""JASCO (Tal et al. 2024, arXiv 2406.10970): music from words, chords, drums and a melody, by flow matching."""
