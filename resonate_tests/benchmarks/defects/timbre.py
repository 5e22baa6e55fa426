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


def by_program(excerpt: Excerpt, program: float, stem: str) -> Samples | None:
    """All parts of a stem by that General MIDI program of the same soundfont (a kit's, for drums), the next where
    it is what played. None without a score or stem."""

    def other(_: str, part: Part) -> Part:
        chosen = int(program) + (part.program == int(program)) * (8 if stem == "drums" else 1)
        return replace(part, program=chosen)

    played = replayed(excerpt, stem, other, another_instrument=True)
    return None if played is None else excerpt.with_stem(stem, played)


def by_neighbour(excerpt: Excerpt, step: float, stem: str) -> Samples | None:
    """Each part of a stem by the program that many further in its family of eight, so that its kind is the same."""

    def other(_: str, part: Part) -> Part:
        assert part.program is not None
        return replace(part, program=part.program // 8 * 8 + (part.program + int(step)) % 8)

    if excerpt.score is not None and any(
        part.program is None for part in excerpt.score.song.parts.values() if part.stem == stem
    ):
        return None
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
    Defect(
        "chords by neighbours", "timbre", partial(by_neighbour, stem="other"), (1, 3, 5), "programs on",
        _KINDS, _ALL,
    ),
    Defect(
        "bass by neighbours", "timbre", partial(by_neighbour, stem="bass"), (1, 3, 5), "programs on",
        _KINDS,
    ),
    Defect(
        "chords by another instrument", "timbre", partial(by_program, stem="other"), (11, 19, 81), "as program",
        "vibraphone, church organ, saw lead for all parts", _ALL,
    ),
    Defect(
        "bass by another instrument", "timbre", partial(by_program, stem="bass"), (38, 0, 58), "as program",
        "synthesiser's bass, piano, tuba",
    ),
    Defect(
        "drums by another kit", "timbre", partial(by_program, stem="drums"), (16, 25, 40), "as kit",
        "power kit, analogue machine, brushes",
    ),
    Defect(
        "voice by another instrument", "timbre", partial(by_program, stem="vocals"), (53, 73, 81), "as program",
        "“voice oohs”, flute, saw lead for a singer", _ALL,
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
            "a tone knob: a little, half, all of its way",
        )
        for stem in ("vocals", "drums", "other")
    ),
)  # fmt: skip
