"""The folder of a page that is heard without a server: its sound, its facts, and the page itself."""

from __future__ import annotations

import base64
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import Recording
from resonate_studio.api.models import Quality
from resonate_studio.hearing.peaks import make_outline, peaks_of
from resonate_studio.hearing.segments import (
    LEAD_FRAMES,
    RATE,
    SEGMENT_FRAMES,
    encode_span,
    frames_at_rate,
)

PAGE = ("index.html", "style.css", "player.js", "page.js")
_FACTS, _AUDIO = "data.js", "audio"

WHOLE_SECONDS = 15 * 60
"""Longer tracks are heard in excerpts: of an hour, each version would take 70 MB twice."""
_EXCERPTS = 3
_EXCERPT_SEGMENTS = 24  # two minutes
_SEGMENTS_PER_PART = 6  # half a minute, some 800 kB of text
_COLUMNS = 1200
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


class NotOursError(Exception):
    """A folder that holds something else. One line."""


@dataclass(frozen=True)
class Heard:
    """A version on the page. id: with its key, so that it says later what was heard. offset_s: how much later than
    the original it begins. loudness_lufs: None where it is not to be matched: stems, silence."""

    id: str
    label: str
    recording: Recording
    loudness_lufs: float | None
    offset_s: float
    generated: bool


@dataclass(frozen=True)
class Told:
    """What the page says besides. compared: number of the version that is compared with the first at the start."""

    track: str
    title: str
    artist: str | None
    quality: Quality
    compared: int
    made: str


def write_page(folder: Path, heard: Sequence[Heard], told: Told, tell: Callable[[str], None]) -> None:
    """Make the folder, or make it anew where it is such a page: there is all of it, or nothing.

    tell: called with what is at work. Raises NotOursError where it holds anything else, and OSError.
    """
    _check(folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        into = Path(scratch) / "page"
        (into / _AUDIO).mkdir(parents=True)
        frames = frames_at_rate(heard[0].recording)
        spans = excerpts(frames)
        matches = _match_db(heard)
        versions = []
        for number, (version, name) in enumerate(zip(heard, _names(heard), strict=True)):
            tell(f"{version.label} ({number + 1} of {len(heard)})")
            _write_sound(into / _AUDIO / name, version, frames, spans)
            if len(spans) == 1:
                encode_lossy(version.recording, into / _AUDIO / f"{name}.opus", "opus")
            versions.append(
                {
                    "id": version.id,
                    "label": version.label,
                    "folder": name,
                    "file": f"{name}.opus" if len(spans) == 1 else None,
                    "loudness": _finite(version.loudness_lufs),
                    "match": round(matches[number], 3),
                    "generated": version.generated,
                    "peaks": base64.b64encode(_peaks(version.recording)).decode(),
                }
            )
        facts = {
            "track": told.track,
            "title": told.title,
            "artist": told.artist,
            "quality": told.quality.model_dump(mode="json"),
            "versions": versions,
            "compared": told.compared,
            "made": told.made,
            "frames": frames,
            "spans": spans,
            "segment": SEGMENT_FRAMES,
            "perPart": _SEGMENTS_PER_PART,
            "lead": LEAD_FRAMES,
        }
        (into / _FACTS).write_text(f"window.RESONATE = {_script(facts)};\n", encoding="ascii")
        for page in PAGE:
            (into / page).write_bytes((files(__package__) / page).read_bytes())
        _check(folder)
        if folder.exists():
            shutil.rmtree(folder)
        into.rename(folder)


def excerpts(frames: int) -> list[tuple[int, int]]:
    """Frames from…to that are heard, on the grid of segments: all, or three times two minutes, evenly spread."""
    if frames <= WHOLE_SECONDS * RATE:
        return [(0, frames)]
    segments = -(-frames // SEGMENT_FRAMES)
    begins = [
        round(segments * (2 * number + 1) / (2 * _EXCERPTS)) - _EXCERPT_SEGMENTS // 2
        for number in range(_EXCERPTS)
    ]
    return [(begin * SEGMENT_FRAMES, (begin + _EXCERPT_SEGMENTS) * SEGMENT_FRAMES) for begin in begins]


def _check(folder: Path) -> None:
    """Raises NotOursError where removing the folder would take anything that did not come from here."""
    if not folder.exists():
        return
    if not folder.is_dir() or folder.is_symlink():
        raise NotOursError(f"{folder}: is no folder; give one that is new")
    names = {entry.name for entry in folder.iterdir()}
    if names and (names - {*PAGE, _FACTS, _AUDIO} or _FACTS not in names):
        raise NotOursError(f"{folder}: holds other files; give a folder that is new, or empty")


def _write_sound(into: Path, version: Heard, frames: int, spans: Sequence[tuple[int, int]]) -> None:
    """Scripts of half a minute each: a page from disk may run those beside it, and read nothing else."""
    into.mkdir()
    late = round(version.offset_s * RATE)
    for part in _parts(frames, spans):
        sounds = [
            base64.b64encode(
                encode_span(
                    version.recording,
                    number * SEGMENT_FRAMES + late,
                    min((number + 1) * SEGMENT_FRAMES, frames) + late,
                )
            ).decode()
            for number in part
        ]
        name = part.start // _SEGMENTS_PER_PART
        script = f"resonateSound({json.dumps(f'{into.name}/{name}')}, {json.dumps(sounds)});\n"
        (into / f"{name}.js").write_text(script, encoding="ascii")


def _parts(frames: int, spans: Sequence[tuple[int, int]]) -> Iterator[range]:
    """Segments of each script that holds something of a span."""
    segments = -(-frames // SEGMENT_FRAMES)
    for first in range(0, segments, _SEGMENTS_PER_PART):
        last = min(first + _SEGMENTS_PER_PART, segments)
        if any(first * SEGMENT_FRAMES < stop and last * SEGMENT_FRAMES > start for start, stop in spans):
            yield range(first, last)


def _names(heard: Sequence[Heard]) -> list[str]:
    """Of folders and files: from labels, in letters that every disk takes, none twice."""
    names: list[str] = []
    for version in heard:
        name = _NO_LETTERS.sub("-", version.label.lower()).strip("-") or "version"
        tries = (name if number == 1 else f"{name}-{number}" for number in count(1))
        names.append(next(each for each in tries if each not in names))
    return names


def _match_db(heard: Sequence[Heard]) -> list[float]:
    """What brings each version to the loudness of the softest: nothing gets louder, so nothing clips."""
    known = [one.loudness_lufs for one in heard if one.loudness_lufs is not None]
    softest = min((each for each in known if math.isfinite(each)), default=0.0)
    return [
        softest - one.loudness_lufs
        if one.loudness_lufs is not None and math.isfinite(one.loudness_lufs)
        else 0.0
        for one in heard
    ]


def _finite(lufs: float | None) -> float | None:
    """None of silence."""
    return None if lufs is None or not math.isfinite(lufs) else round(lufs, 2)


def _peaks(recording: Recording) -> bytes:
    outline = make_outline(recording)
    return peaks_of(recording, 0, recording.frames, _COLUMNS, outline).extremes.tobytes()


def _script(value: Any) -> str:
    """JSON that is the same in a script, wherever that stands."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")
