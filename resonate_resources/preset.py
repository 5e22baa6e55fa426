"""How far a stage may go with a track: the word of the brief that restoration, mixing and mastering act on."""

from __future__ import annotations

from typing import Literal

Preset = Literal["conservative", "balanced", "aggressive"]
"""conservative: only what is surely amiss; balanced: what is good practice; aggressive: about half as much again.

What that is in decibels and hertz stands with each capability, beside the filters it sets."""
