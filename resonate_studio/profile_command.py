"""`resonate profile`: what a recording is, in numbers and in the terminal's own pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.sound_commands import FILE, decoded_file
from resonate_studio.terminal import JSON, Command, print_json

if TYPE_CHECKING:
    from resonate_resources.analysis.chords import Chord
    from resonate_resources.profiling.profile import Profile

_BLOCKS = " ▁▂▃▄▅▆▇█"
_WIDTH = 64
_CHORDS_A_LINE = 8


@click.command(cls=Command)
@FILE
@JSON
def profile(file: Path, as_json: bool) -> None:
    """Tell what FILE is: tempo, beats, bars, key, chords, form, loudness, bandwidth, noise. What can't be told is
    unknown (with --json: null)."""
    from resonate_resources.analysis.chords import KeyFrom, chords_of
    from resonate_resources.profiling.brief import ProfileBrief
    from resonate_resources.profiling.profile import Profile
    from resonate_resources.profiling.resource import ProfilingResource

    with decoded_file(file) as (recording, folder):
        into = folder / "profile"
        into.mkdir()
        ProfilingResource().profile(recording, ProfileBrief(), into)
        found = Profile.read(into / "profile.json")
        keys = [KeyFrom(span.start_s, span.key) for span in found.keys]
        chords = chords_of(recording, found.beats_s, keys, found.tuning_cents or 0.0)
        if as_json:
            print_json(as_object(found, chords))
            return
        levels = _levels(recording.blocks(), recording.frames)
    for line in report(found, chords, levels):
        click.echo(line)


def as_object(profile: Profile, chords: Sequence[Chord]) -> dict[str, Any]:
    """The profile's fields as they are, with the names that scripts ask for."""
    own: dict[str, Any] = json.loads(profile.model_dump_json())
    metre = own["time_signatures"]
    return {
        **own,
        "time_signature": f"{metre[0]['numerator']}/{metre[0]['denominator']}" if metre else None,
        "chords": [chord.model_dump() for chord in chords],
        "loudness": {
            name: own[name] for name in ("loudness_lufs", "loudness_range_lu", "true_peak_dbtp", "crest_db")
        },
    }


def report(profile: Profile, chords: Sequence[Chord], levels: Sequence[float]) -> list[str]:
    """Lines of text, 80 letters wide at most. levels: of equal parts of the recording, 0 to 1."""
    minutes, seconds = divmod(profile.duration_s, 60)
    lines = [
        _fact("length", f"{minutes:.0f}:{seconds:04.1f}"),
        _fact("tempo", _tempo(profile)),
        _fact("time signature", _metres(profile)),
        _fact("key", _keys(profile)),
        _fact("loudness", _unit(profile.loudness_lufs, "LUFS")),
        _fact("loudness range", f"{profile.loudness_range_lu:.1f} LU"),
        _fact("true peak", _unit(profile.true_peak_dbtp, "dBTP")),
        _fact("crest", _unit(profile.crest_db, "dB")),
        _fact("signal to noise", _unit(profile.snr_db, "dB and more")),
        _fact("bandwidth", f"{profile.bandwidth_hz:.0f} Hz"),
        _fact("side to mid", _unit(profile.width_db, "dB")),
        "",
        "".join(_BLOCKS[round(level * (len(_BLOCKS) - 1))] for level in levels),
        _form(profile),
    ]
    told = [_chord(chord) for chord in chords if chord.label != "N"]
    if told:
        lines += ["", "chords"]
        lines += ["".join(told[at : at + _CHORDS_A_LINE]) for at in range(0, len(told), _CHORDS_A_LINE)]
    return [line.rstrip() for line in lines]


def _fact(name: str, value: str) -> str:
    return f"{name:<18}{value}"


def _unit(value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{value:.1f} {unit}"


def _tempo(profile: Profile) -> str:
    if profile.tempo_bpm is None:
        return "unknown"
    second = f", or {profile.second_tempo_bpm:.1f}" if profile.second_tempo_bpm else ""
    swing = f", swing {profile.swing:.2f}" if profile.swing and profile.swing > 0.55 else ""
    return f"{profile.tempo_bpm:.1f} BPM ({profile.tempo_confidence:.0%} sure{second}){swing}"


def _metres(profile: Profile) -> str:
    return (
        ", ".join(
            f"{metre.numerator}/{metre.denominator}"
            + (f" from {metre.start_s:.1f} s" if metre.start_s > 1 else "")
            for metre in profile.time_signatures
        )
        or "unknown"
    )


def _keys(profile: Profile) -> str:
    if profile.key is None:
        return "unknown"
    others = [f"{span.key} from {span.start_s:.0f} s" for span in profile.keys if span.key != profile.key]
    return f"{profile.key} ({profile.camelot})" + "".join(f", {other}" for other in others[:3])


def _form(profile: Profile) -> str:
    """Letters of the sections under the waveform, each where it begins."""
    line = [" "] * _WIDTH
    for section in profile.sections:
        at = min(_WIDTH - 1, int(section.start_s / max(profile.duration_s, 1e-9) * _WIDTH))
        line[at] = section.label[0]
    return "".join(line)


def _chord(chord: Chord) -> str:
    from resonate_resources.analysis.arrangement_chart import chord_text

    return f"{chord_text(chord.label):<9}"


def _levels(blocks: Iterable[Any], frames: int) -> list[float]:
    """Peaks of 64 equal parts against the loudest."""
    import numpy as np

    peaks = np.zeros(_WIDTH)
    start = 0
    for block in blocks:
        at = (np.arange(start, start + block.shape[1]) * _WIDTH // max(frames, 1)).clip(0, _WIDTH - 1)
        np.maximum.at(peaks, at, np.abs(block).max(axis=0))
        start += block.shape[1]
    most = float(peaks.max(initial=0))
    return [float(peak / most) if most else 0.0 for peak in peaks]
