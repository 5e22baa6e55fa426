"""Songs whose music is known to the note, and how right an analysis of them is."""
