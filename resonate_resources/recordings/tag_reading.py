"""Tags as files have them: of every kind that a file has, the better-kept kind first.

Better kept is what belongs to the container (ID3v2, MP4, Vorbis comments), then ID3v2 in front of what it does not
belong to, APEv2, ID3v1, which cuts at 30 letters, and what FFmpeg alone knows (RIFF INFO, Matroska, WMA).
"""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resonate_resources.recordings.charsets import legible, likely_charset
from resonate_resources.recordings.tags import ID3_FRAMES, MP4_ATOMS, TEXT_FIELDS, VORBIS_COMMENTS, Tags
from resonate_resources.recordings.wave_chunks import may_have_texts, stated_charset

# field → FFmpeg's metadata keys, for what mutagen does not know: RIFF INFO chunks, RF64, Matroska, WMA
_FFMPEG = {
    "artist": ("artist",), "title": ("title",), "album": ("album",), "album_artist": ("album_artist",),
    "composer": ("composer",), "genre": ("genre",), "date": ("date",), "track_number": ("track",),
    "bpm": ("tbpm", "bpm"), "key": ("tkey", "initialkey"), "isrc": ("tsrc", "isrc"),
    "copyright": ("copyright",), "comment": ("comment",),
}  # fmt: skip
_APEV2 = {
    "artist": ("Artist",), "title": ("Title",), "album": ("Album",),
    "album_artist": ("Album Artist", "AlbumArtist"), "composer": ("Composer",), "genre": ("Genre",),
    "date": ("Year",), "track_number": ("Track",), "bpm": ("BPM",), "key": ("InitialKey", "Key"),
    "isrc": ("ISRC",), "copyright": ("Copyright",), "comment": ("Comment",),
}  # fmt: skip
_LOST = "\ufffd"
"""What stands where a text could not be read."""

_Text = str | bytes
"""A text, or its bytes where nobody says in what charset they are."""


@dataclass(frozen=True)
class _Kind:
    """What one kind of tags says."""

    texts: Mapping[str, _Text]
    front: bytes | None = None
    """The front cover."""
    picture: bytes | None = None
    """Any other picture."""
    charset: str | None = None
    """What the file says its texts are in."""

    def legible(self) -> dict[str, str]:
        raw = [text for text in self.texts.values() if isinstance(text, bytes)]
        charset = self.charset or likely_charset(raw)
        return {
            name: legible(text, charset) if isinstance(text, bytes) else text
            for name, text in self.texts.items()
        }


@dataclass
class _Pictures:
    front: bytes | None = None
    other: bytes | None = None

    def see(self, data: Any, front: bool) -> None:
        """Keep the first of its sort."""
        if front:
            self.front = self.front or bytes(data)
        else:
            self.other = self.other or bytes(data)


def read_tags(path: Path) -> Tags:
    """What can be read of a file's tags; empty where there are none or they are broken. Never raises."""
    texts, artwork = read_texts(path)
    return tags_of(texts, artwork)


def read_texts(path: Path) -> tuple[dict[str, str], bytes | None]:
    """Field of Tags → what the file says of it, be it what such a field can hold or not; and the picture. Never
    raises."""
    kinds: list[_Kind] = []
    found: dict[str, str] = {}
    for read in (_of_container, _id3_in_front, _apev2, _id3v1, _by_ffmpeg):
        if read is _by_ffmpeg and not _wants_more(path, found):
            break
        for kind in _suppressed(read, path):
            kinds.append(kind)
            for name, text in kind.legible().items():
                if text.strip("\0 ") and (name not in found or (_LOST in found[name] and _LOST not in text)):
                    found[name] = text
    pictures = [kind.front for kind in kinds] + [kind.picture for kind in kinds]
    return found, next((picture for picture in pictures if picture), None)


def tags_of(found: Mapping[str, str], artwork: bytes | None = None) -> Tags:
    """What of these texts can be meant."""
    values: dict[str, Any] = {name: found[name].replace(_LOST, "?") for name in TEXT_FIELDS if name in found}
    number, _, total = found.get("track_number", "").partition("/")
    values["track_number"] = _whole(number)
    values["track_total"] = _whole(total or found.get("track_total", ""))
    with suppress(ValueError):
        values["bpm"] = float(found["bpm"].replace(",", ".")) if "bpm" in found else None
    return Tags(**values, artwork=artwork)


def _wants_more(path: Path, found: Mapping[str, str]) -> bool:
    """Whether FFmpeg may know more than mutagen: it takes ten times as long."""
    known = {"artist", "title"} <= found.keys() and not any(_LOST in text for text in found.values())
    with suppress(OSError), path.open("rb") as file:
        return not known or (file.read(4) in (b"RIFF", b"FORM") and may_have_texts(path))
    return False


def _suppressed(read: Callable[[Path], _Kind | None], path: Path) -> Iterator[_Kind]:
    # mutagen and FFmpeg meet hostile bytes here and raise nearly anything; a tag is never worth a track.
    with suppress(Exception):
        kind = read(path)
        if kind is not None:
            yield kind


def _texts(table: Mapping[str, tuple[str, ...]], text: Callable[[str], _Text]) -> dict[str, _Text]:
    """Each field from the first of its keys that can be read: one broken frame spoils no other."""
    found: dict[str, _Text] = {}
    for name, keys in table.items():
        for key in keys:
            with suppress(Exception):
                found.setdefault(name, text(key))
    return found


def _of_container(path: Path) -> _Kind | None:
    import mutagen
    from mutagen._vorbis import VCommentDict
    from mutagen.id3 import ID3, ID3FileType
    from mutagen.mp4 import MP4Tags

    file = mutagen.File(path)
    tags: Any = None if file is None else file.tags
    if isinstance(file, ID3FileType):  # read without ID3v1
        return None
    if isinstance(tags, ID3):
        return _id3(tags)
    if isinstance(tags, VCommentDict):
        return _vorbis(file)
    if isinstance(tags, MP4Tags):
        covers = tags.get("covr") or [None]
        return _Kind(
            _texts(MP4_ATOMS, lambda key: _mp4_text(tags[key])), front=covers[0] and bytes(covers[0])
        )
    return None


def _id3_in_front(path: Path) -> _Kind | None:
    from mutagen.id3 import ID3

    return _id3(ID3(path, load_v1=False))


def _id3v1(path: Path) -> _Kind | None:
    from mutagen.id3 import ID3, ParseID3v1

    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 128))
        frames = ParseID3v1(file.read())
    if not frames:
        return None
    tags = ID3()
    for frame in frames.values():
        tags.add(frame)
    return _id3(tags)


def _id3(tags: Any) -> _Kind:
    from mutagen.id3 import PictureType

    pictures = _Pictures()
    for frame in tags.getall("APIC"):
        if frame.mime != "-->":  # an address
            pictures.see(frame.data, frame.type == PictureType.COVER_FRONT)
    return _Kind(_texts(ID3_FRAMES, lambda key: _id3_text(tags, key)), pictures.front, pictures.other)


def _id3_text(tags: Any, key: str) -> _Text:
    from mutagen.id3 import Encoding

    if key == "COMM":  # iTunes keeps numbers of its own in comments that have a description
        frame = min(tags.getall(key), key=lambda frame: frame.desc != "")
        text = str(frame.text[0])
    else:
        frame = tags[key]
        text = "; ".join(str(part) for part in (frame.genres if key == "TCON" else frame.text))
    # Latin-1 by name: taggers write there whatever their system's charset is.
    return text.encode("latin-1") if frame.encoding == Encoding.LATIN1 else text


def _mp4_text(values: Iterable[Any]) -> _Text:
    [first, *_] = values = list(values)
    if isinstance(first, tuple):
        return "/".join(str(number) for number in first)
    if isinstance(first, bytes):
        return b"; ".join(bytes(value) for value in values)
    return "; ".join(str(value) for value in values)


def _vorbis(file: Any) -> _Kind:
    from mutagen.flac import Picture
    from mutagen.id3 import PictureType

    tags = file.tags
    images = getattr(file, "pictures", None)
    if images is None:
        images = []
        for text in tags.get("METADATA_BLOCK_PICTURE", ()):
            with suppress(Exception):
                images.append(Picture(base64.b64decode(text)))
    pictures = _Pictures()
    for image in images:
        if image.mime != "-->":
            pictures.see(image.data, image.type == PictureType.COVER_FRONT)
    return _Kind(_texts(VORBIS_COMMENTS, lambda key: "; ".join(tags[key])), pictures.front, pictures.other)


def _apev2(path: Path) -> _Kind:
    from mutagen.apev2 import APEv2

    tags = APEv2(path)
    pictures = _Pictures()
    for key, value in tags.items():
        if key.lower().startswith("cover art"):  # a file name, a zero, the picture
            pictures.see(bytes(value.value).partition(b"\0")[2], key.lower().endswith("(front)"))
    return _Kind(_texts(_APEV2, lambda key: "; ".join(tags[key])), pictures.front, pictures.other)


def _by_ffmpeg(path: Path) -> _Kind | None:
    from resonate_resources.recordings.container import open_container

    # Each byte as a letter: FFmpeg hands on what stands in the file, in whatever charset.
    with open_container(path, encoding="latin-1") as container:
        audio = container.streams.audio
        # Ogg and Matroska keep some tags with the stream.
        metadata = {**(audio[0].metadata if audio else {}), **container.metadata}
    texts = {key.lower(): text.encode("latin-1") for key, text in metadata.items()}
    return _Kind(_texts(_FFMPEG, lambda key: texts[key]), charset=stated_charset(path))


def _whole(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None
