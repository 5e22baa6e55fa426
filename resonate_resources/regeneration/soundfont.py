"""General MIDI programs of soundfonts as instruments: clean, editable, and heard nowhere in the track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples
from resonate_resources.regeneration import fluidsynth_player
from resonate_resources.regeneration.instrument import Candidate, Part
from resonate_resources.regeneration.own_process import OwnProcess, ProcessLostError
from resonate_resources.regeneration.program_retrieval import nearest_programs
from resonate_resources.regeneration.soundfont_file import Program, Soundfont, soundfonts

_PATIENCE_S: Final = 120.0  # FluidSynth renders a hundred times as fast as real time, and opens 1 GB in ten seconds
_PLAYER: Final = OwnProcess(_PATIENCE_S)
"""FluidSynth keeps what it has open for its process, and reads files from anywhere: a crash stays in there."""
_TRIED_KEYS: Final = 5
