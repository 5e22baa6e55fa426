"""`resonate profile`: what a recording is, in numbers and in the terminal's own pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.sound_commands import FILE, decoded_file
from resonate_studio.terminal import HOME, JSON, Command, print_json

if TYPE_CHECKING:
    from resonate_resources.analysis.space import Space
    from resonate_resources.harmony.chords import Chord
    from resonate_resources.profiling.profile import Profile

_BLOCKS = " ▁▂▃▄▅▆▇█"
_WIDTH = 64
_CHORDS_A_LINE = 8
_DOUBTED = 0.5  # a confidence under which it is more likely wrong than right
_VALUE = 62  # letters beside a name
_BAR = 30
_TONE_DB = 60.0  # of the octaves, under the loudest, that are drawn
_ROWS = 4


@click.command(cls=Command)
@FILE
@HOME
@click.option("--room", is_flag=True, help="Separate it, unless that was done before, and hear its room too.")
@JSON
def profile(file: Path, home: Path | None, room: bool, as_json: bool) -> None:
    """Tell what FILE is: tempo, beats, bars, key, chords, form, loudness, bandwidth, noise, quality. What can't be
    told is unknown (with --json: null)."""
    from resonate_resources.harmony.chords import KeyFrom, chords_of
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
        space = _space(file, home) if room else None
        if as_json:
            print_json(as_object(found, chords, space))
            return
        levels = _levels(recording.blocks(), recording.frames)
    for line in report(found, chords, levels, space):
        click.echo(line)


def _space(file: Path, home: Path | None) -> Space:
    from resonate_resources.analysis.sound import space_of
    from resonate_studio.separating import stems_in

    stems = stems_in(home, file)
    return space_of(stems, tuple(stems))


def as_object(profile: Profile, chords: Sequence[Chord], space: Space | None) -> dict[str, Any]:
    """The profile's fields as they are, and what else scripts ask for. rt60_s: by octave in Hz; null where nobody
    listened for a room, or too few notes die away freely."""
    own: dict[str, Any] = json.loads(profile.model_dump_json())
    heard = space is not None and space.confidence > 0
    return {
        **own,
        "time_signature": profile.metre,
        "chords": [chord.model_dump() for chord in chords],
        "rt60_s": space.rt60_s if space is not None and heard else None,
        "rt60_confidence": space.confidence if space is not None else 0.0,
    }


def report(
    profile: Profile, chords: Sequence[Chord], levels: Sequence[float], space: Space | None = None
) -> list[str]:
    """Lines of text, 80 letters wide at most. levels: of equal parts of the recording, 0 to 1."""
    loudness = profile.loudness
    lines = [
        _fact("length", _time(profile.duration_s)),
        _fact("tempo", _tempo(profile)),
        _fact("time signature", _metres(profile)),
        _fact("beats", _beats(profile)),
        _fact("key", _keys(profile)),
        _fact("loudness", _unit(loudness.integrated_lufs, "LUFS")),
        _fact("loudest", f"{_unit(loudness.max_momentary_lufs, 'LUFS')} in 0.4 s, "
                         f"{_unit(loudness.max_short_term_lufs, 'LUFS')} in 3 s"),
        _fact("loudness range", f"{loudness.range_lu:.1f} LU"),
        _fact("true peak", _unit(loudness.true_peak_dbtp, "dBTP")),
        _fact("dynamics", f"{_unit(loudness.plr_db, 'dB')} (peak to loudness), "
                          f"{_unit(loudness.crest_db, 'dB')} (crest)"),
        _fact("clipped tops", f"{profile.flat_tops}"),
        _fact("offset", " ".join(f"{round(each, 4) + 0:+.4f}" for each in profile.dc) + " of full scale"),
        _fact("signal to noise", _bound("at least", profile.snr_db, "dB")),
        _fact("noise floor", _bound("at most", profile.noise_floor_dbfs, "dBFS")),
        _fact("hum", f"{profile.hum.mains_hz} Hz at {profile.hum.level_dbfs:.0f} dBFS" if profile.hum else "none"),
        _fact("bandwidth", _bandwidth(profile)),
        _fact("spectral centroid", "unknown" if profile.centroid_hz is None else f"{profile.centroid_hz:.0f} Hz"),
        _fact("side to mid", _unit(profile.width_db, "dB")),
        _fact("room", _room(space)),
        "",
        "".join(_BLOCKS[round(level * (len(_BLOCKS) - 1))] for level in levels),
        _form(profile),
        "",
        *_quality(profile),
        "",
        *_tone(profile),
    ]  # fmt: skip
    lines += _chord_lines(chords)
    return [line.rstrip() for line in lines]


def _fact(name: str, value: str) -> str:
    return f"{name:<18}{value}"


def _unit(value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{value:.1f} {unit}"


def _bound(words: str, value: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{words} {_unit(value, unit)}"


def _bandwidth(profile: Profile) -> str:
    fits = f", as is usual of {profile.cut_fits[0]}" if profile.cut_fits else ""
    ends = {"none": "up to the sample rate's end", "natural": "ends naturally"}.get(profile.cut, profile.cut)
    return f"{profile.bandwidth_hz:.0f} Hz, {ends}{fits}"


def _room(space: Space | None) -> str:
    if space is None:
        return "unknown (--room listens)"
    told = {hertz: rt60_s for hertz, rt60_s in space.rt60_s.items() if rt60_s}
    if not told:
        return "unknown: too few notes die away freely"
    middle = min(told, key=lambda hertz: abs(hertz - 1000))
    return f"RT60 {told[middle]:.2f} s at {middle} Hz ({space.confidence:.0%} sure)"


def _quality(profile: Profile) -> list[str]:
    """The score over bars of its parts."""
    if profile.quality.total is None:
        return [_fact("quality", "unknown")]
    lines = [_fact("quality", f"{profile.quality.total:.0f} of 100")]
    for part, score in profile.quality.parts.items():
        eighths = round(score / 100 * _BAR * 8)
        bar = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
        lines.append(f"  {part:<16}{bar:<{_BAR}} {score:3.0f}")
    return lines


def _tone(profile: Profile) -> list[str]:
    """Octaves as columns, the loudest full."""
    from resonate_resources.signal.octaves import OCTAVES_HZ

    top = max(profile.octaves_db)
    steps = _ROWS * (len(_BLOCKS) - 1)
    heights = [round(max(0.0, 1 + (level - top) / _TONE_DB) * steps) for level in profile.octaves_db]
    rows = []
    for row in reversed(range(_ROWS)):
        cells = [_BLOCKS[min(max(height - 8 * row, 0), 8)] * 4 for height in heights]
        rows.append(" " * 18 + "  ".join(cells))
    names = [f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz:g}" for hertz in OCTAVES_HZ]
    return [*rows, _fact("octaves, Hz", "  ".join(f"{name:<4}" for name in names))]


def _tempo(profile: Profile) -> str:
    if profile.tempo_bpm is None:
        return "unknown"
    second = f", or {profile.second_tempo_bpm:.1f}" if profile.second_tempo_bpm else ""
    swing = f", swing {profile.swing:.2f}" if profile.swing and profile.swing > 0.55 else ""
    return f"{profile.tempo_bpm:.1f} BPM ({profile.tempo_confidence:.0%} sure{second}){swing}"


def _metres(profile: Profile) -> str:
    first, *others = profile.time_signatures or (None,)
    if first is None:
        return "unknown"
    sure = f"{first.numerator}/{first.denominator} ({profile.metre_confidence:.0%} sure)"
    return _as_fits(
        [sure, *(f"{each.numerator}/{each.denominator} from {_time(each.start_s)}" for each in others)]
    )


def _beats(profile: Profile) -> str:
    if not profile.beats_s:
        return "unknown"
    beats = f"{len(profile.beats_s)} ({profile.beats_confidence:.0%} sure)"
    downbeats = f"{len(profile.downbeats_s)} of them downbeats ({profile.downbeats_confidence:.0%} sure)"
    return f"{beats}, {downbeats}" if profile.downbeats_s else f"{beats}, no bars"


def _keys(profile: Profile) -> str:
    if profile.key is None:
        return "unknown"
    others = [f"{span.key} from {_time(span.start_s)}" for span in profile.keys if span.key != profile.key]
    sure = "" if profile.key_confidence is None else f", {profile.key_confidence:.0%} sure"
    return _as_fits([f"{profile.key} ({profile.camelot}{sure})", *others])


def _as_fits(parts: Sequence[str]) -> str:
    """As many of them as stand in a line, and how many more there are."""
    for shown in range(len(parts), 1, -1):
        more = [f"{len(parts) - shown} more"] if shown < len(parts) else []
        if len(line := ", ".join([*parts[:shown], *more])) <= _VALUE:
            return line
    return parts[0] if len(parts) == 1 else f"{parts[0]}, {len(parts) - 1} more"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def _form(profile: Profile) -> str:
    """Letters of the sections under the waveform, each where it begins."""
    line = [" "] * _WIDTH
    for section in profile.sections:
        at = min(_WIDTH - 1, int(section.start_s / max(profile.duration_s, 1e-9) * _WIDTH))
        line[at] = section.label[0]
    return "".join(line)


def _chord_lines(chords: Sequence[Chord]) -> list[str]:
    """Each line begins with the time of its first chord."""
    from resonate_resources.analysis.arrangement_chart import chord_text

    heard = [chord for chord in chords if chord.label != "N"]
    lines = []
    for at in range(0, len(heard), _CHORDS_A_LINE):
        line = heard[at : at + _CHORDS_A_LINE]
        told = [chord_text(each.label) + "?" * (each.confidence < _DOUBTED) for each in line]
        lines.append(f"{_time(line[0].start_s):<8}" + "".join(f"{each:<9}" for each in told))
    return ["", f"chords (?: under {_DOUBTED:.0%} sure)", *lines] if lines else []


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
