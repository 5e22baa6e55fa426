"""Other instruments for the same notes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.defect import Audible, Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt
from resonate_tests.benchmarks.defects.replaying import replayed
from resonate_tests.benchmarks.music_truth.song import Part


def by_program(excerpt: Excerpt, parts: float, stem: str, program: int) -> Samples | None:
    """So many of a stem's parts by that General MIDI program of the same soundfont (a kit's, for drums), the next
    where it is what played. None without a score or stem."""
    changed: set[str] = set()

    def other(name: str, part: Part) -> Part:
        if len(changed) >= parts:
            return part
        changed.add(name)
        return replace(part, program=program + (part.program == program) * (8 if stem == "drums" else 1))

    played = replayed(excerpt, stem, other, another_instrument=True)
    return None if played is None else excerpt.with_stem(stem, played)


def by_voice(excerpt: Excerpt, noise: float, stem: str) -> Samples | None:
    """A stem's notes as sines; noise: that share of their power is white noise in the notes' envelopes instead.

    None without a score or stem."""
    if excerpt.score is None or stem not in excerpt.stems:
        return None
    sound = np.zeros(excerpt.frames + excerpt.rate)
    chance = excerpt.chance("voice")
    for note in excerpt.score.song.notes(stem):
        start = round((note.onset_s - excerpt.score.start_s) * excerpt.rate)
        if not 0 <= start < excerpt.frames:
            continue
        seconds = np.arange(round(min(note.duration_s, 4.0) * excerpt.rate)) / excerpt.rate
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        tone = np.sqrt(2 * (1 - noise)) * np.sin(2 * np.pi * hertz * seconds)
        tone += np.sqrt(noise) * chance.standard_normal(len(seconds))
        envelope = np.minimum(1, np.minimum(seconds, seconds[::-1]) / 0.01) * note.velocity / 127
        part = sound[start : start + len(tone)]
        part += (tone * envelope)[: len(part)]
    sound = sound[: excerpt.frames]
    true = excerpt.stems[stem]
    gain = np.sqrt(np.mean(np.square(true)) / max(float(np.mean(sound**2)), 1e-20))
    return excerpt.with_stem(stem, np.asarray(np.stack([gain * sound] * 2), np.float32))


def duller(excerpt: Excerpt, hertz: float, stem: str) -> Samples | None:
    """A stem through a low-pass of 12 dB an octave, at its power."""
    from scipy.signal import butter, sosfilt

    if not excerpt.plays(stem):
        return None
    true = excerpt.stems[stem]
    dull = sosfilt(butter(2, hertz, fs=excerpt.rate, output="sos"), true)
    gain = np.sqrt(np.mean(np.square(true)) / max(float(np.mean(dull**2)), 1e-20))
    return excerpt.with_stem(stem, np.asarray(gain * dull, np.float32))


_ALL: tuple[Audible, ...] = ("yes", "yes", "yes")
_KINDS = "musicians tell instruments of one family apart, anybody those of two"

DEFECTS = (
    *(
        Defect(
            f"chords by {name}", "timbre", partial(by_program, stem="other", program=program), (1, 2, 4), "parts",
            _KINDS, _ALL,
        )
        for name, program in (("vibraphone", 11), ("church organ", 19), ("saw lead", 81))
    ),
    *(
        Defect(
            f"{stem} by {name}", "timbre", partial(by_program, stem=stem, program=program), (4,), "parts",
            _KINDS, ("yes",),
        )
        for stem, name, program in (
            ("bass", "synthesiser", 38), ("bass", "piano", 0), ("bass", "tuba", 58),
            ("drums", "analogue machine", 25), ("drums", "brushes", 40),
            ("vocals", "flute", 73), ("vocals", "saw lead", 81),
        )
    ),
    *(
        Defect(
            f"{stem} as tones or noise", "timbre", partial(by_voice, stem=stem), (0.0, 0.3, 1.0), "of it noise",
            "a sine or noise in the place of an instrument", _ALL,
        )
        for stem in ("bass", "other", "vocals")
    ),
    *(
        Defect(
            f"{stem} duller", "timbre", partial(duller, stem=stem), (6000, 2500, 800), "Hz",
            "a tone knob: a little, half, all of its way", ("yes" if stem == "drums" else "hardly", "yes", "yes"),
        )
        for stem in ("vocals", "drums", "other")
    ),
)  # fmt: skip
