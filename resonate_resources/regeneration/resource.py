"""Stems played anew from their MIDI."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import dagster as dg

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import Progress, Stems, silent
from resonate_resources.regeneration.stem import regenerate_stem

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

_STEMS_AT_ONCE = 2  # one is rendered while the other is measured and written


class RegenerationResource(dg.ConfigurableResource[None]):
    """Synthesised instruments playing each stem's MIDI, at the level of the stem it was transcribed from."""

    def recipe(self) -> Recipe:
        return Recipe.of(__name__, Engine("dawdreamer-faust", licence="GPL-3.0"), version=CODE_VERSION)

    def regenerate(
        self, midi: Mapping[str, Path], stems: Stems, into: Path, progress: Progress = silent
    ) -> Product:
        """A WAV per MIDI file, under its stem's name. Raises AudioError for a file that is no MIDI.

        Every name in midi must be in stems.
        """
        with ThreadPoolExecutor(_STEMS_AT_ONCE) as pool:
            futures = {
                name: pool.submit(regenerate_stem, name, read_notes(path), stems[name], into / f"{name}.wav")
                for name, path in midi.items()
            }
            for done, future in enumerate(as_completed(futures.values()), start=1):
                future.result()
                progress(done / len(futures))
        made = {name: future.result() for name, future in futures.items()}
        measures: dict[str, float | int | str | bool] = {
            "generated": True
        }  # nobody played it: to be labelled so
        for name, stem in made.items():
            measures[f"{name}_notes"] = stem.notes_played
            measures[f"{name}_loudness_lufs"] = stem.loudness_lufs
        return Product(
            files={f"{name}.wav": stem.recording.path for name, stem in made.items()},
            measures=measures,
        )
