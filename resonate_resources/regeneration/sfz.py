"""A sampled instrument as SFZ: a text that lays samples out over keys, of the first version's opcodes alone.

What they mean: sfzformat.com, "SFZ v1". Samples are WAV of 24 bits: whatever plays SFZ or imports it reads that.
FLAC would be about half as large, and is not read for certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log, log10
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from resonate_resources.recordings.encoding import encode_wav
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.sampled_instrument import SampledInstrument, Take, Zone

SAMPLES: Final = "samples"
"""The folder of samples, beside the text."""
_PEAK: Final = 10 ** (-1 / 20)  # −1 dBFS
_SOFTEST_DB: Final = -144.0  # of `volume`
_MOST_DB: Final = 6.0
_LAST_S: Final = 0.02  # of a note, by which it is told how loud it dies away
_USUAL_SLOPE_DB: Final = 0.25
"""amp_veltrack=100 is 40·log10(127/velocity) dB: 24.5 dB from velocity 31 to 127, 0.25 a step."""
_CHOKED: Final = 1
_CHOKED_S: Final = 0.012
_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class SfzText:
    """The text of an instrument. lines: each with the level in dB by which its sample is turned to be as loud as in
    the stem, None where it has none. loudest_db: the highest of these."""

    lines: Sequence[tuple[str, float | None]]
    loudest_db: float

    def write(self, path: Path, turned_db: float) -> None:
        """turned_db: on top of each level, −loudest_db at most: then the loudest sample peaks at −1 dBFS at
        velocity 127. It goes into each region: a region's `volume` takes the place of that of its headers."""
        told = [f"// {-turned_db:+.1f} dB on all instruments of the track make them as loud as its stems."]
        told += [
            line if level is None else f"{line} volume={max(_SOFTEST_DB, level + turned_db):.2f}"
            for line, level in self.lines
        ]
        path.write_text("\n".join(told) + "\n", encoding="utf-8")


def write_samples_of(
    instrument: SampledInstrument, part: Part, into: Path, bend: int, about: Sequence[str]
) -> tuple[SfzText, dict[str, Path]]:
    """The text, and name in the folder → file of its samples.

    part: which it is made of, and plays as loud as it is. bend: semitones that a full turn of the pitch wheel is.
    about: lines that stand above it, as comments.
    """
    name, used = part.stem.capitalize(), sorted({note.pitch for note in part.notes})
    tracking = round(min(100.0, 100 * instrument.slope_db / _USUAL_SLOPE_DB))
    takes = [take for zone in instrument.zones for take in zone.takes()]
    # Against full scale, at velocity 127: what was played softer was recorded softer.
    full = {take: _peak(take) * (127 / take.velocity) ** (2 * tracking / 100) for take in takes}
    louder_db = _louder_db(instrument, part, tracking)
    levels = {take: 20 * log10(peak / _PEAK) + louder_db for take, peak in full.items()}
    files: dict[str, Path] = {}
    regions: dict[Take, str] = {}
    (into / SAMPLES).mkdir(exist_ok=True)
    with TemporaryDirectory(dir=into) as scratch:
        for zone in instrument.zones:
            for number, take in enumerate(zone.takes(), start=1):
                sample = f"{SAMPLES}/{name}-{zone.center:03}-{number}.wav"
                files[sample] = into / sample
                peaking = take.sound * np.float32(_PEAK / _peak(take))
                encode_wav(
                    write_samples(Path(scratch) / "take.wav", peaking, instrument.sample_rate), files[sample]
                )
                regions[take] = _region(sample, take, instrument)
    lines: list[tuple[str, float | None]] = [(f"// {line}", None) for line in about]
    for zone in instrument.zones:
        lines += [(line, None) for line in ("", *(f"// {line}" for line in _told(zone, used)))]
        for low, high, turns in zone.layers:
            lines.append((_group(zone, low, high, len(turns), instrument, tracking, bend), None))
            lines += [
                (regions[take] + (f" seq_position={turn}" if len(turns) > 1 else ""), levels[take])
                for turn, take in enumerate(turns, start=1)
            ]
    return SfzText(lines, max(levels.values())), files


def _louder_db(instrument: SampledInstrument, part: Part, tracking: int) -> float:
    """What makes the instrument as loud as its part where it plays its notes, up to ±6 dB: more tells of notes that
    are missing. Powers are summed: of notes that sound together, hardly any are in phase."""
    rate, rings_s = instrument.sample_rate, instrument.release_s
    energies = {
        take: np.cumsum(np.square(take.sound, dtype=np.float64).sum(axis=0))
        for zone in instrument.zones
        for take in zone.takes()
    }

    def energy(take: Take, note: Note) -> float:
        summed, frames = energies[take], round(note.duration_s * rate)
        end = len(summed) if rings_s is None else min(len(summed), max(1, frames))
        last = max(1, min(end - 1, round(_LAST_S * rate)))
        power = (summed[end - 1] - summed[max(0, end - 1 - last)]) / last
        held = max(0, frames - end) if take.loop else 0
        dying = 0.0 if rings_s is None else rate * rings_s / log(10**6)  # by 60 dB
        played = float(summed[end - 1] + power * (held + dying))
        louder: float = (note.velocity / take.velocity) ** (4 * tracking / 100)
        return played * louder

    total = 0.0
    for note in part.notes:
        for zone in instrument.zones:
            for low, high, turns in zone.layers:
                if zone.low <= note.pitch <= zone.high and low <= note.velocity <= high:
                    total += sum(energy(take, note) for take in turns) / len(turns)
    stem = sum(float(np.square(block, dtype=np.float64).sum()) for block in part.recording.blocks())
    return min(_MOST_DB, max(-_MOST_DB, 10 * log10(stem / total))) if stem and total else 0.0


def _group(
    zone: Zone, low: int, high: int, turns: int, instrument: SampledInstrument, tracking: int, bend: int
) -> str:
    words = [
        f"<group> lokey={zone.low} hikey={zone.high} pitch_keycenter={zone.center} lovel={low} hivel={high}",
        f"amp_veltrack={tracking}",
    ]
    if turns > 1:
        words.append(f"seq_length={turns}")
    if zone.chokes:
        words.append(f"group={_CHOKED} off_by={_CHOKED} ampeg_release={_CHOKED_S}")
    if instrument.release_s is not None:
        words.append(f"ampeg_release={instrument.release_s:.3f} bend_up={100 * bend} bend_down={-100 * bend}")
    return " ".join(words)


def _region(sample: str, take: Take, instrument: SampledInstrument) -> str:
    words = [f"<region> sample={sample}"]
    if take.tune_cents:
        words.append(f"tune={take.tune_cents}")
    if take.loop:  # loop_end is played
        words.append(f"loop_mode=loop_continuous loop_start={take.loop[0]} loop_end={take.loop[1] - 1}")
    else:
        words.append(f"loop_mode={'one_shot' if instrument.release_s is None else 'no_loop'}")
    return " ".join(words)


def _told(zone: Zone, used: Iterable[int]) -> Iterator[str]:
    if zone.low == zone.high:
        yield f"key {zone.center}"
    else:
        yield f"{key_name(zone.center)} for {key_name(zone.low)} to {key_name(zone.high)}"
    if not zone.recorded:
        yield "partials and noise learned from the stem, as hardly a note near it stands alone"
    if far := zone.far(used):
        keys = ", ".join(key_name(key) for key in far)
        yield f"{keys}: shifted by more than four semitones, as no note nearer stands alone"


def key_name(pitch: int) -> str:
    """C4 is MIDI's 60."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _peak(take: Take) -> float:
    return float(np.abs(take.sound).max())
