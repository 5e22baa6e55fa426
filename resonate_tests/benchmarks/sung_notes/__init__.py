"""Songs whose every sung note is known, by real voices and synthesised ones: to fit on, and to judge by."""
