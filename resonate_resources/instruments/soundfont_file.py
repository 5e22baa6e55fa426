"""A soundfont's name, licence and programs, as it tells them (SoundFont Technical Specification 2.04)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final

from resonate_resources.recordings.recording import AudioError

SYSTEM_FOLDERS: Final = (
    Path("/usr/share/sounds/sf2"),  # Debian, Fedora
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/soundfonts"),  # Arch
    Path("/opt/homebrew/share/soundfonts"),
    Path("/Library/Audio/Sounds/Banks"),  # macOS
)
_SUFFIXES: Final = frozenset({".sf2", ".sf3"})
_PRESET: Final = struct.Struct("<20sHH14x")  # 7.2: name, program, bank, then what players want
_MOST_TEXT: Final = 65_536  # bytes; the specification allows a comment that many

# Words in ICOP or ICMT → SPDX. The first that is found holds.
_LICENCES: Final = (
    ("mit license", "MIT"),
    ("(mit", "MIT"),
    ("cc0", "CC0-1.0"),
    ("public domain", "LicenseRef-public-domain"),
    ("gpl", "LicenseRef-GPL"),
)


@dataclass(frozen=True, order=True)
class Program:
    """bank 0 has General MIDI's programs 0…127, bank 128 drum kits."""

    bank: int
    number: int
    name: str


@dataclass(frozen=True)
class Soundfont:
    """licence: an SPDX identifier where its words are known, else its copyright line, else "not told"."""

    path: Path
    name: str
    licence: str
    programs: tuple[Program, ...]

    @classmethod
    def read(cls, path: Path) -> Soundfont:
        """Raises AudioError for a file that is missing or no soundfont."""
        told: dict[bytes, bytes] = {}
        try:
            if not S_ISREG(path.stat().st_mode):  # to open a pipe would wait for whoever writes to it
                raise ValueError("no file")
            with path.open("rb") as file:
                for name, size in _chunks_of_a_soundfont(file):
                    if name in (b"INAM", b"ICOP", b"ICMT"):
                        told[name] = file.read(min(size, _MOST_TEXT))
                    elif name == b"phdr":
                        told[name] = file.read(size)
        except (OSError, struct.error, ValueError) as error:
            why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else error
            raise AudioError(f"{path.name}: cannot be read as a soundfont ({why}); choose another") from error
        records = told.get(b"phdr", b"")
        if len(records) % _PRESET.size or len(records) <= _PRESET.size:
            raise AudioError(f"{path.name}: has no programs, or is cut off; choose another soundfont")
        programs = [
            Program(bank, number, _text(called))
            for called, number, bank in _PRESET.iter_unpack(
                records[: -_PRESET.size]
            )  # the last only ends the list
        ]
        title = _text(told.get(b"INAM", b"")) or path.stem
        return cls(path, title, _licence(told), tuple(sorted(programs)))


def soundfonts(asked_for: Sequence[Path]) -> list[Soundfont]:
    """Those asked for; of none, the first readable one of the system, if any. Raises AudioError, see Soundfont."""
    if asked_for:
        return [Soundfont.read(path) for path in asked_for]
    for path in _of_the_system():
        try:
            return [Soundfont.read(path)]
        except AudioError:
            continue
    return []


def _of_the_system() -> Iterator[Path]:
    for folder in SYSTEM_FOLDERS:
        if folder.is_dir():
            yield from sorted(
                {file.resolve() for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES}
            )


def _chunks_of_a_soundfont(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk of a RIFF file, those in lists, too, where the file stands at its content."""
    riff, _, form = struct.unpack("<4sI4s", file.read(12))
    if (riff, form) != (b"RIFF", b"sfbk"):
        raise ValueError("no RIFF file of form sfbk")
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"LIST":
            file.read(4)  # its kind; what is in it follows
            continue
        content = file.tell()
        yield name, size
        file.seek(content + size)
        if size % 2 and file.read(1) != b"\0":
            file.seek(content + size)  # MuseScore_General.sf3 leaves out the byte that RIFF fills up with


def _text(told: bytes) -> str:
    return " ".join(told.partition(b"\0")[0].decode("latin-1").split())


def _licence(told: Mapping[bytes, bytes]) -> str:
    copyright_line = _text(told.get(b"ICOP", b""))
    said = f"{copyright_line} {_text(told.get(b'ICMT', b''))}".lower()
    return next((licence for words, licence in _LICENCES if words in said), copyright_line or "not told")
