"""Chance that can be had again."""

from __future__ import annotations

from random import Random


def stream(seed: int, *names: str | int) -> Random:
    """A source of its own for each name: what one part draws changes no other."""
    return Random("/".join(map(str, (seed, *names))))
