"""How the shared database came to be as it is: one file in versions/ for each change of its tables."""
