"""Defects of known kind and size in known music: what a judge of quality must hear, and what it must not."""
