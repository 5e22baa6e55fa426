"""What Serato keeps in an audio file: its beat grid, its cues and its levels, and where each kind of file has them.

Sources: Holzhaus, "Serato Tags" (docs/) and triseratops; mixxx, src/track/serato. Serato publishes nothing of it.
"""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resonate_resources.exporting.steady_runs import Run
from resonate_resources.recordings.recording import AudioError
from resonate_resources.recordings.tags import FREEFORM

BEAT_GRID, MARKERS_2, AUTOTAGS = "Serato BeatGrid", "Serato Markers2", "Serato Autotags"
MARKERS = "Serato Markers_"
"""The first five cues once more, of older versions. Where it is there, Serato looks for those nowhere else."""

KINDS = (".mp3", ".aif", ".aiff", ".wav", ".flac", ".m4a", ".mp4")
"""Of files that can hold them."""

# name → FLAC's comment, MPEG-4's atom; ID3 has each in a GEOB frame of its name
_COMMENTS = {BEAT_GRID: "SERATO_BEATGRID", MARKERS_2: "SERATO_MARKERS_V2", AUTOTAGS: "SERATO_AUTOGAIN"}
_ATOMS = {BEAT_GRID: "beatgrid", MARKERS_2: "markersv2", AUTOTAGS: "autgain", MARKERS: "markers"}
_SERATOS = FREEFORM.replace("com.apple.iTunes", "com.serato.dj")
_MIME = "application/octet-stream"
_LINE = 72  # letters of base64
_MARKERS_2_BYTES = 470  # at least, filled up with zeros


@dataclass(frozen=True)
class Cue:
    """index: from 0, of eight. colour: 0xRRGGBB, of those that Serato offers."""

    index: int
    milliseconds: int
    colour: int
    name: str


def beat_grid(runs: Sequence[Run]) -> bytes:
    """A marker for each run, with the beats to the next one; the last has its BPM, at which the grid goes on."""
    *before, last = runs
    markers = [struct.pack(">fI", run.second, run.beats) for run in before]
    markers.append(struct.pack(">ff", last.second, last.bpm))
    return b"\x01\x00" + struct.pack(">I", len(markers)) + b"".join(markers) + b"\x00"


def autotags(bpm: float, auto_gain_db: float, gain_db: float) -> bytes:
    """auto_gain_db: what brings the track to the common loudness; gain_db: what a person set beside it."""
    return b"\x01\x01" + b"".join(
        f"{text}\0".encode() for text in (f"{bpm:.2f}", f"{auto_gain_db:.3f}", f"{gain_db:.3f}")
    )


def levels_in(blob: bytes) -> tuple[float, float]:
    """(auto gain, gain) of Autotags, in dB. Raises ValueError where they are broken."""
    _, auto_gain, gain, *_ = blob[2:].split(b"\0")
    return float(auto_gain), float(gain)


Entry = tuple[str, bytes]
"""An entry of Markers2: its kind (CUE, LOOP, COLOR, BPMLOCK …) and its content."""

EMPTY: tuple[Entry, ...] = (("COLOR", b"\x00\xff\xff\xff"), ("BPMLOCK", b"\x00"))


def cue_entry(cue: Cue) -> Entry:
    colour = cue.colour.to_bytes(3, "big")
    named = cue.name.replace("\0", "").encode()
    return "CUE", struct.pack(">xBIx3s2x", cue.index, cue.milliseconds, colour) + named + b"\0"


def cue_of(entry: Entry) -> Cue | None:
    """What a cue's entry says; None of another. Raises ValueError where it is broken."""
    kind, content = entry
    if kind != "CUE":
        return None
    if len(content) < 13:
        raise ValueError("a cue is cut short")
    index, milliseconds, colour = struct.unpack_from(">xBIx3s", content)
    name = content[12:].partition(b"\0")[0].decode(errors="replace")
    return Cue(index, milliseconds, int.from_bytes(colour, "big"), name)


def markers_2(entries: Sequence[Entry]) -> bytes:
    """Entries as Markers2 holds them: in base64, in lines."""
    inner = b"\x01\x01" + b"".join(
        kind.encode() + b"\0" + struct.pack(">I", len(content)) + content for kind, content in entries
    )
    # An empty kind ends them; with a multiple of three bytes base64 needs no padding, which readers differ about.
    inner += bytes(3 - len(inner) % 3)
    blob = b"\x01\x01" + _in_lines(base64.b64encode(inner)) + b"\0"
    return blob.ljust(_MARKERS_2_BYTES, b"\0")


def entries_of(blob: bytes) -> list[Entry]:
    """The inverse of markers_2. Raises ValueError where it is broken."""
    data = _from_base64(blob[2:].partition(b"\0")[0])
    return list(_entries(data))


def has_first_cues(blob: bytes) -> bool:
    """Whether Markers_, as ID3 has it, holds a cue or a loop: entries of 22 bytes that begin with 0 where one is
    set. What can't be read may."""
    count = int.from_bytes(blob[2:6], "big")
    if len(blob) < 6 + 22 * count:
        return True
    return any(blob[6 + 22 * number] != 0x7F for number in range(count))


def read_blobs(path: Path) -> dict[str, bytes]:
    """Name (`Serato BeatGrid` …) → what a file has of it. Raises AudioError."""
    file = _opened(path)
    try:
        if path.suffix.lower() == ".flac":
            found = {name: file.tags.get(key, [None])[0] for name, key in _COMMENTS.items()}
            return {name: _unwrapped(name, text.encode()) for name, text in found.items() if text}
        if path.suffix.lower() in (".m4a", ".mp4"):
            atoms = {name: file.tags.get(_SERATOS + atom, [None])[0] for name, atom in _ATOMS.items()}
            return {name: _unwrapped(name, bytes(text)) for name, text in atoms.items() if text}
        return {
            frame.desc: bytes(frame.data)
            for frame in file.tags.getall("GEOB")
            if frame.desc.startswith("Serato ")
        }
    except ValueError as error:
        raise AudioError(
            f"{path.name}: what Serato left in it can't be read ({error}); analyse it there anew"
        ) from error


def write_blobs(path: Path, blobs: Mapping[str, bytes], gone: Collection[str] = ()) -> None:
    """Put these into a file and take those out; what else it has stays. Raises AudioError."""
    import mutagen
    from mutagen.id3 import GEOB
    from mutagen.mp4 import MP4FreeForm

    file = _opened(path)
    kind = path.suffix.lower()
    for name in gone:
        if kind not in (".flac", ".m4a", ".mp4"):
            file.tags.delall(f"GEOB:{name}")
    for name, blob in blobs.items():
        if kind == ".flac":
            file.tags[_COMMENTS[name]] = _wrapped(name, blob).decode()
        elif kind in (".m4a", ".mp4"):
            file.tags[_SERATOS + _ATOMS[name]] = [MP4FreeForm(_wrapped(name, blob))]
        else:
            file.tags.delall(f"GEOB:{name}")
            file.tags.add(GEOB(encoding=0, mime=_MIME, desc=name, data=blob))
    try:
        file.save(**_version(file))
    except (mutagen.MutagenError, OSError) as error:
        raise AudioError(f"{path.name}: Serato's tags cannot be written ({error})") from error


def _version(file: Any) -> dict[str, int]:
    """ID3v2.3 stays so: older programs know nothing newer."""
    if getattr(file.tags, "version", None) is None or file.tags.version[:2] != (2, 3):
        return {}
    file.tags.update_to_v23()
    return {"v2_version": 3}


def _opened(path: Path) -> Any:
    import mutagen
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.wave import WAVE

    openers: dict[str, Any] = {
        ".mp3": MP3, ".aif": AIFF, ".aiff": AIFF, ".wav": WAVE, ".flac": FLAC, ".m4a": MP4, ".mp4": MP4,
    }  # fmt: skip
    try:
        file = openers[path.suffix.lower()](path)
        if file.tags is None:
            file.add_tags()
    except (mutagen.MutagenError, OSError) as error:
        raise AudioError(f"{path.name}: its tags can't be read ({error}); convert it to FLAC") from error
    return file


def _entries(data: bytes) -> Iterator[Entry]:
    at = 2
    while at < len(data) and data[at]:
        end = data.find(b"\0", at)
        if end < 0 or len(data) < end + 5:
            raise ValueError("an entry is cut short")
        begin = end + 5
        length = int.from_bytes(data[end + 1 : begin], "big")
        if len(data) < begin + length:
            raise ValueError("an entry is cut short")
        yield data[at:end].decode(errors="replace"), data[begin : begin + length]
        at = begin + length


def _wrapped(name: str, blob: bytes) -> bytes:
    """As FLAC and MPEG-4 hold it: what ID3's frame says, in base64. Serato's has one letter more than it needs,
    which mixxx cuts off unseen."""
    whole = f"{_MIME}\0\0{name}\0".encode() + blob
    return _in_lines(base64.b64encode(whole).rstrip(b"=")) + b"A"


def _unwrapped(name: str, text: bytes) -> bytes:
    data = _from_base64(text)
    before = f"{_MIME}\0\0{name}\0".encode()
    if not data.startswith(before):
        raise ValueError(f"no {name} stands where it belongs")
    return data.removeprefix(before)


def _in_lines(text: bytes) -> bytes:
    return b"\n".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))


def _from_base64(text: bytes) -> bytes:
    """Of Serato's base64, which may have one letter too many or lack the last one's padding."""
    text = text.replace(b"\n", b"").rstrip(b"=")
    return base64.b64decode(text[: len(text) // 4 * 4] + _last_letters(text[len(text) // 4 * 4 :]))


def _last_letters(text: bytes) -> bytes:
    return text + b"=" * (4 - len(text)) if len(text) > 1 else b""
