"""A track's instruments for programs for music: samplers of its sounds, what they play, and other candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, read_notes, write_notes
from resonate_resources.recordings.recording import Progress, Stems
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration.presets import PRESETS, write_presets
from resonate_resources.regeneration.sampled_instrument import sampled
from resonate_resources.regeneration.sfz import SfzText, write_samples_of
from resonate_resources.regeneration.stem import part_of

LICENCE: Final = "LICENCE.txt"
_USUAL_BEND: Final = 2  # semitones: General MIDI's
_SHORTEST_S: Final = 0.005


def export_instruments(
    midi: Mapping[str, Path],
    stems: Stems,
    tempo: TempoMap,
    rebuilt: Mapping[str, Any],
    about: str,
    into: Path,
    progress: Progress,
) -> Product:
    """Of each stem with notes `Stem.sfz`, its samples, `Stem.mid`, and presets of candidates that are synthesised.

    Every name in midi must be in stems. rebuilt: stem → what `regeneration.json` tells of it. about: of the track,
    on one line. Raises AudioError for a file that is no MIDI.
    """
    files: dict[str, Path] = {}
    notes: list[str] = []
    learned: list[str] = []
    texts: dict[str, SfzText] = {}
    for done, (stem, path) in enumerate(midi.items(), start=1):
        with TemporaryDirectory(dir=into) as scratch:
            part = part_of(stem, read_notes(path), stems[stem], Path(scratch))
            instrument = sampled(part)
            if instrument is None:
                notes.append(f"{stem}: no note of it sounds, so there is no instrument")
                continue
            name = stem.capitalize()
            bend = max(
                _USUAL_BEND, ceil(max((abs(to) for note in part.notes for _, to in note.bends), default=0))
            )
            about_it = [f"{name}, of the stem's own sounds. {about}"]
            texts[name], samples = write_samples_of(instrument, part, into, bend, about_it)
        files |= {f"{name}.sfz": into / f"{name}.sfz", **samples}
        if not all(zone.recorded for zone in instrument.zones):
            learned.append(name)
        files[f"{name}.mid"] = into / f"{name}.mid"
        write_notes(
            files[f"{name}.mid"],
            _bending_alone(part.notes),
            tempo=tempo,
            name=name,
            program=0,
            channel=DRUM_CHANNEL if stem == "drums" else 0,
        )
        files |= write_presets(stem, rebuilt.get(stem, {}).get("candidates", ()), into)
        progress(done / (len(midi) + 1))
    # One gain for all, so that they are as loud beside each other as the stems are, and none clips.
    turned_db = -max((text.loudest_db for text in texts.values()), default=0.0)
    for name, text in texts.items():
        text.write(files[f"{name}.sfz"], turned_db)
    if files:
        files[LICENCE] = into / LICENCE
        files[LICENCE].write_text(_licence(files, learned, about), encoding="utf-8")
    else:
        notes.append("no stem has notes: there are no instruments")
    progress(1.0)
    return Product(files, {"samples": sum(name.endswith(".wav") for name in files)}, tuple(notes))


def _bending_alone(notes: Sequence[Note]) -> list[Note]:
    """The notes; where any bends, each ends with the next: they were brought to their strokes one by one. What is
    left of one that is struck together with the next is no note."""
    if not any(note.bends for note in notes):
        return list(notes)
    ended = [replace(note, offset_s=min(note.offset_s, after.onset_s)) for note, after in pairwise(notes)]
    return [*(note for note in ended if note.duration_s >= _SHORTEST_S), *notes[-1:]]


def _licence(files: Mapping[str, Path], learned: Sequence[str], about: str) -> str:
    lines = [
        about,
        "",
        "samples/: cut from the recording that came in. Whoever holds the rights in it holds them in these.",
    ]
    if learned:
        lines.append(
            f"Of {', '.join(learned)}, zones that say so are sines and noise, made after what was measured in it."
        )
    lines.append(
        ".mid: notes heard in the recording. Whoever holds the rights in the music holds them in these."
    )
    if any(name.startswith(f"{PRESETS}/") and name.endswith(".dsp") for name in files):
        lines.append(f"{PRESETS}/*.dsp, voice.lib: Resonate's instruments, GPL-3.0-or-later.")
    if any(name.startswith(f"{PRESETS}/") and name.endswith(".txt") for name in files):
        lines.append(
            f"{PRESETS}/*.txt: name soundfonts and plugins, which are not in here; their licences stand there."
        )
    return "\n".join(lines) + "\n"
