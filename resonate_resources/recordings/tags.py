"""Tags: what a file says of its music, and how it is written to the containers we deliver.

Text in tags comes from strangers. A Tags value holds no control characters, no line breaks and nothing
that UTF-8 cannot carry, so it may go into file names, tables and logs after their own escaping.
"""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError

# C0 and C1 controls, the line breaks that Unicode adds, and what turns the direction of what is written behind it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?(?!\d)")
_SPELT_KEY = re.compile(r"([A-Ga-g])\s*([#♯b♭]?)\s*(major|maj|minor|min)", re.IGNORECASE)


@dataclass(frozen=True)
class Tags:
    """All fields may be missing; text is cleaned on the way in.

    date: YYYY, YYYY-MM or YYYY-MM-DD. bpm: beats per minute, above 0. key: as in ID3's TKEY, at most three
    characters (`Am`, `F#`, `Bbm`, `o` for off key) where the source can be understood so. artwork: an
    encoded image (JPEG, PNG…).
    """

    artist: str | None = None
    title: str | None = None
    album: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    genre: str | None = None
    date: str | None = None
    track_number: int | None = None
    track_total: int | None = None
    bpm: float | None = None
    key: str | None = None
    isrc: str | None = None
    copyright: str | None = None
    comment: str | None = None
    artwork: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in TEXT_FIELDS:
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else _clean(value))
        date = _DATE.search(self.date or "")
        object.__setattr__(self, "date", date[0] if date else None)
        object.__setattr__(self, "key", _short_key(self.key))
        if self.bpm is not None and not (math.isfinite(self.bpm) and self.bpm > 0):
            object.__setattr__(self, "bpm", None)
        for name in ("track_number", "track_total"):
            if (getattr(self, name) or 0) <= 0:
                object.__setattr__(self, name, None)

    def to_json(self) -> dict[str, Json]:
        """What is known, without the artwork: for a manifest."""
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "artwork"}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Json]) -> Tags:
        """The inverse of to_json. Raises TypeError for a name that is no tag."""
        return cls(**values)  # type: ignore[arg-type]


TEXT_FIELDS = (
    "artist", "title", "album", "album_artist", "composer", "genre", "date", "key", "isrc", "copyright",
    "comment",
)  # fmt: skip

# field → ID3v2.4 frames (id3.org, "ID3 tag version 2.4.0 - Native Frames"); totals stand in TRCK: "3/12"
ID3_FRAMES = {
    "artist": ("TPE1",), "title": ("TIT2",), "album": ("TALB",), "album_artist": ("TPE2",),
    "composer": ("TCOM",), "genre": ("TCON",), "date": ("TDRC",), "track_number": ("TRCK",),
    "bpm": ("TBPM",), "key": ("TKEY",), "isrc": ("TSRC",), "copyright": ("TCOP",), "comment": ("COMM",),
}  # fmt: skip
# field → Vorbis comments; the first is written. INITIALKEY is what rekordbox, Serato and Traktor read.
VORBIS_COMMENTS = {
    "artist": ("ARTIST",), "title": ("TITLE",), "album": ("ALBUM",),
    "album_artist": ("ALBUMARTIST", "ALBUM ARTIST"), "composer": ("COMPOSER",), "genre": ("GENRE",),
    "date": ("DATE", "YEAR"), "track_number": ("TRACKNUMBER",),
    "track_total": ("TRACKTOTAL", "TOTALTRACKS"), "bpm": ("BPM", "TEMPO"), "key": ("INITIALKEY", "KEY"),
    "isrc": ("ISRC",), "copyright": ("COPYRIGHT",), "comment": ("COMMENT", "DESCRIPTION"),
}  # fmt: skip

FREEFORM = "----:com.apple.iTunes:"
"""What stands before the names of atoms that anybody may add."""
# field → atoms of MPEG-4; the first is written. Totals stand in trkn; tmpo holds whole numbers only.
MP4_ATOMS = {
    "artist": ("©ART",), "title": ("©nam",), "album": ("©alb",), "album_artist": ("aART",),
    "composer": ("©wrt",), "genre": ("©gen",), "date": ("©day",), "track_number": ("trkn",),
    "bpm": (f"{FREEFORM}BPM", "tmpo"), "key": (f"{FREEFORM}initialkey", f"{FREEFORM}KEY"),
    "isrc": (f"{FREEFORM}ISRC",), "copyright": ("cprt",), "comment": ("©cmt",),
}  # fmt: skip


def write_tags(path: Path, tags: Tags, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Replace the tags of a WAV, AIFF, FLAC, MP3, M4A, MP4 or Opus file. Raises AudioError where it cannot be done.

    more: key → text of what Tags does not have, as Vorbis comments, ID3's TXXX and free-form atoms.
    """
    import mutagen

    writers = {".flac": _write_flac, ".m4a": _write_mp4, ".mp4": _write_mp4, ".opus": _write_opus}
    try:
        writers.get(path.suffix.lower(), _write_id3)(path, tags, more)
    except (mutagen.MutagenError, OSError) as error:
        raise AudioError(f"{path.name}: tags cannot be written ({error})") from error


def _write_id3(path: Path, tags: Tags, more: Mapping[str, str]) -> None:
    from mutagen.aiff import AIFF
    from mutagen.id3 import ID3
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    with path.open("rb") as opened:
        wide = opened.read(4) == b"RF64"
    if wide:  # mutagen knows only RIFF
        written = io.BytesIO()
        frames = ID3()
        _fill_id3(frames, tags, more)
        frames.save(written)
        _replace_rf64_chunk(path, b"id3 ", written.getvalue())
        return
    file: Any = {".wav": WAVE, ".aiff": AIFF}.get(path.suffix.lower(), MP3)(path)
    if file.tags is None:
        file.add_tags()
    file.tags.clear()
    _fill_id3(file.tags, tags, more)
    file.save()


def _fill_id3(frames: Any, tags: Tags, more: Mapping[str, str]) -> None:
    from mutagen import id3

    texts = _texts(tags)
    if "track_total" in texts:
        texts["track_number"] = f"{texts.get('track_number', '')}/{texts['track_total']}"
    for name, (frame, *_) in ID3_FRAMES.items():
        if name not in texts:
            continue
        if frame == "COMM":
            frames.add(id3.COMM(encoding=id3.Encoding.UTF8, lang="XXX", desc="", text=[texts[name]]))
        else:
            frames.add(getattr(id3, frame)(encoding=id3.Encoding.UTF8, text=[texts[name]]))
    for key, text in more.items():
        frames.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=key, text=[text]))
    if tags.artwork:
        frames.add(
            id3.APIC(mime=_image_type(tags.artwork), type=id3.PictureType.COVER_FRONT, data=tags.artwork)
        )


def _replace_rf64_chunk(path: Path, name: bytes, content: bytes) -> None:
    """Put a chunk at the end of an RF64 file (EBU Tech 3306), in place of one of that name at the end."""
    with path.open("r+b") as file:
        data_size = int.from_bytes(file.read(36)[28:36], "little")  # ds64 is the first chunk by the standard
        position, size = 12, file.seek(0, io.SEEK_END)
        while position < size:
            file.seek(position)
            header = file.read(8)
            if header[:4] == name:
                break
            length = data_size if header[:4] == b"data" else int.from_bytes(header[4:], "little")
            position += 8 + length + length % 2
        file.seek(min(position, size))
        file.truncate()
        file.write(name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2))
        riff_size = file.tell() - 8
        file.seek(20)
        file.write(riff_size.to_bytes(8, "little"))


def _write_flac(path: Path, tags: Tags, more: Mapping[str, str]) -> None:
    from mutagen.flac import FLAC

    file: Any = FLAC(path)
    if file.tags is None:
        file.add_tags()
    file.clear_pictures()
    _fill_comments(file.tags, tags, more)
    if tags.artwork:
        file.add_picture(_picture(tags.artwork))
    file.save()


def _write_opus(path: Path, tags: Tags, more: Mapping[str, str]) -> None:
    from mutagen.oggopus import OggOpus

    file: Any = OggOpus(path)
    _fill_comments(file.tags, tags, more)
    if tags.artwork:
        # wiki.xiph.org/VorbisComment, "Cover art"
        file.tags["METADATA_BLOCK_PICTURE"] = base64.b64encode(_picture(tags.artwork).write()).decode()
    file.save()


def _fill_comments(comments: Any, tags: Tags, more: Mapping[str, str]) -> None:
    comments.clear()
    texts = _texts(tags)
    for name, (key, *_) in VORBIS_COMMENTS.items():
        if name in texts:
            comments[key] = texts[name]
    for key, text in more.items():
        comments[key] = text


def _picture(image: bytes) -> Any:
    from mutagen.flac import Picture
    from mutagen.id3 import PictureType

    picture: Any = Picture()
    picture.type, picture.mime, picture.data = PictureType.COVER_FRONT, _image_type(image), image
    return picture


def _write_mp4(path: Path, tags: Tags, more: Mapping[str, str]) -> None:
    from mutagen.mp4 import MP4, MP4Cover

    file: Any = MP4(path)
    if file.tags is None:
        file.add_tags()
    file.tags.clear()
    texts = _texts(tags)
    for name, (atom, *_) in MP4_ATOMS.items():
        if name in texts and atom != "trkn":
            file.tags[atom] = [texts[name].encode() if atom.startswith(FREEFORM) else texts[name]]
    if tags.bpm is not None:
        file.tags["tmpo"] = [min(round(tags.bpm), 0xFFFF)]
    if tags.track_number or tags.track_total:
        file.tags["trkn"] = [
            tuple(min(number or 0, 0xFFFF) for number in (tags.track_number, tags.track_total))
        ]
    for key, text in more.items():
        file.tags[FREEFORM + key] = [text.encode()]
    if tags.artwork:
        png = tags.artwork.startswith(b"\x89PNG")
        form = MP4Cover.FORMAT_PNG if png else MP4Cover.FORMAT_JPEG
        file.tags["covr"] = [MP4Cover(tags.artwork, form)]
    file.save()


def _texts(tags: Tags) -> dict[str, str]:
    # ID3 asks for a whole number in TBPM; decimals are written all the same, as DJ software does:
    # at 60 minutes half a beat per minute is 30 beats off.
    return {
        name: f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        for name, value in tags.to_json().items()
    }


def _image_type(image: bytes) -> str:
    """MIME type by the first bytes; ID3 allows `image/` where it is not known."""
    known = {
        b"\xff\xd8\xff": "image/jpeg",
        b"\x89PNG": "image/png",
        b"GIF8": "image/gif",
        b"RIFF": "image/webp",
    }
    return next((mime for magic, mime in known.items() if image.startswith(magic)), "image/")


def _clean(text: str) -> str | None:
    printable = _UNPRINTABLE.sub(" ", text).encode("utf-8", "ignore").decode("utf-8")
    return printable.strip() or None


def _short_key(key: str | None) -> str | None:
    """`A minor` → `Am`, `c# maj` → `C#`; anything else is left as it is."""
    spelt = _SPELT_KEY.fullmatch(key or "")
    if spelt is None:
        return key
    note, accidental, mode = spelt.groups()
    accidental = accidental.replace("♯", "#").replace("♭", "b")
    return note.upper() + accidental + ("m" if mode.lower().startswith("min") else "")
