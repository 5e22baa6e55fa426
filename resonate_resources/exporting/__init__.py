"""Exporting: what leaves the graph, for people and their programs. Making sound does not belong here."""
