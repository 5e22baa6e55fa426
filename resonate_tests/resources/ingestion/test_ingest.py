"""A source becomes the first artefact of its track: whole, with its tags and cover, or is refused in a line."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.ingestion.ingest import ARTWORK, FACTS, TRACK, ingest, recipe, source_read
from resonate_resources.ingestion.intake import identify
from resonate_resources.recipe import Product
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import AudioError, DestinationError, Recording
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_tests.peer_encoders import noise
from resonate_tests.tiny_music import music


def ingested(path: Path, limits: Limits | None = None) -> Product:
    into = path.parent / "into"
    into.mkdir(exist_ok=True)
    return ingest(path, identify(path, str(path)), limits or Limits(), into)


def flac_with_cover(path: Path, cover: bytes) -> Path:
    """The picture is 17 MiB, which no block of a FLAC can hold: as writers do who don't look, its length is cut."""
    sf.write(path, noise(4410, 2), 44100)
    block = b"".join(
        (
            (3).to_bytes(4, "big"), (10).to_bytes(4, "big"), b"image/jpeg", bytes(20),
            len(cover).to_bytes(4, "big"), cover,
        )
    )  # fmt: skip
    content = path.read_bytes()
    header = bytes((6,)) + (len(block) & 0xFFFFFF).to_bytes(3, "big")
    path.write_bytes(content[:42] + header + block + content[42:])
    return path


def noisy_picture(side: int, form: str) -> bytes:
    import io

    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, form)
    return written.getvalue()


def test_a_cover_of_17_mib_is_made_smaller_with_a_note_and_goes_into_every_format(tmp_path: Path) -> None:
    from mutagen import id3
    from mutagen.mp3 import MP3

    cover = noisy_picture(2440, "PNG")
    assert len(cover) > 17 << 20
    sf.write(tmp_path / "plain.wav", noise(44_100, 2), 44100)
    path = tmp_path / "a.mp3"
    encode_lossy(Recording.open(tmp_path / "plain.wav"), path, "mp3")
    file: Any = MP3(path)
    file.tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=cover))
    file.save()
    product = ingested(path)
    kept = product.files[ARTWORK].read_bytes()
    assert len(kept) <= 8 << 20
    assert [note for note in product.notes if note.startswith("the cover of 17.")]
    encode_mp3 = partial(encode_lossy, form="mp3")
    for name, encode in (("m.flac", encode_flac), ("m.mp3", encode_mp3), ("m.wav", encode_wav)):
        encode(Recording.open(product.files[TRACK]), tmp_path / name)
        write_tags(tmp_path / name, Tags(title="a", artwork=kept))
        assert read_tags(tmp_path / name).artwork == kept


def test_a_flac_whose_cover_of_17_mib_is_larger_than_its_block_is_taken(tmp_path: Path) -> None:
    product = ingested(flac_with_cover(tmp_path / "a.flac", noisy_picture(2440, "PNG")))
    assert [note for note in product.notes if note.startswith("the cover of 17.")]
    assert Recording.open(product.files[TRACK]).frames == 4410


def test_channels_out_of_phase_are_told(tmp_path: Path) -> None:
    left = noise(44_100, 1)
    sf.write(tmp_path / "a.wav", np.hstack([left, -left]), 44100, "FLOAT")
    sf.write(tmp_path / "b.wav", np.hstack([left, left]), 44100, "FLOAT")
    note = "the channels are out of phase: tempo, key and notes are heard in one of them"
    assert note in ingested(tmp_path / "a.wav").notes
    assert note not in ingested(tmp_path / "b.wav").notes


def test_a_name_gives_the_tags_that_a_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / "Björk - Jóga.wav"
    path.write_bytes(music())
    facts = json.loads(ingested(path).files[FACTS].read_text("utf-8"))
    assert facts["tags"] == {"artist": "Björk", "title": "Jóga"}


def test_limits_that_only_refuse_give_no_result_another_name() -> None:
    plain, strict = recipe(Limits()), recipe(Limits(duration_hours=1, decoded_gib=1, free_gib=2))
    assert plain.keyed() == strict.keyed()
    assert recipe(Limits(artwork_mib=1)).keyed() != plain.keyed()


def test_one_content_that_came_in_under_two_names_is_read_as_two(tmp_path: Path) -> None:
    """Its tags may come from its name: one result must not stand for both."""
    reads = []
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(music())
        reads.append(source_read(identify(tmp_path / name, name)))
    assert reads[0] != reads[1]


def test_a_file_that_has_changed_or_gone_since_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(music())
    source = identify(path, str(path))
    path.write_bytes(music(b"other"))
    with pytest.raises(AudioError, match=r"\Aa\.wav: has changed since it was found; [^\n]*\Z"):
        ingest(path, source, Limits(), tmp_path)
    path.unlink()
    with pytest.raises(AudioError, match=r"\Aa\.wav: does not exist any more; [^\n]*\Z"):
        ingest(path, source, Limits(), tmp_path)


def test_a_full_disk_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(music())
    with pytest.raises(DestinationError):
        ingest(path, identify(path, str(path)), Limits(free_gib=1e9), tmp_path)
