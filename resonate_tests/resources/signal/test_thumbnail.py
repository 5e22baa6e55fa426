"""Thumbnails: every kind of picture the stages draw, within the bound, and still that picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from PIL import Image, UnidentifiedImageError

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.chart import bars, piano_roll
from resonate_resources.signal.picture import draw
from resonate_resources.signal.thumbnail import data_uri, thumbnail_of

Draw = Callable[[Path], bytes]
RNG = np.random.default_rng(5)


def noise(folder: Path, count: int) -> bytes:
    """The picture that costs the most bytes: no two columns alike."""
    recordings = {}
    for number in range(count):
        path = folder / f"{number}.wav"
        sf.write(path, RNG.uniform(-0.5, 0.5, (44100, 2)), 44100, subtype="FLOAT")
        recordings[f"stem {number}"] = Recording.open(path)
    return draw(recordings)


def silence(folder: Path) -> bytes:
    sf.write(folder / "silence.wav", np.zeros((44100, 1)), 44100, subtype="FLOAT")
    return draw({"silence": Recording.open(folder / "silence.wav")})


def many_notes(_: Path) -> bytes:
    starts = RNG.uniform(0, 180, (4, 2000))
    notes = [
        [(s, s + 0.1, int(RNG.integers(20, 100)), int(RNG.integers(1, 128))) for s in each] for each in starts
    ]
    return piano_roll({f"part {number}": part for number, part in enumerate(notes)}, 180.0)


def scores(_: Path) -> bytes:
    return bars({name: {f"dimension {n}": 8.0 * n for n in range(12)} for name in ("master", "regenerated")})


DRAWN: dict[str, Draw] = {
    "one recording": lambda folder: noise(folder, 1),
    "six stems": lambda folder: noise(folder, 6),
    "silence": silence,
    "thousands of notes": many_notes,
    "scores": scores,
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_thumbnail_of_every_picture_is_within_the_bound_and_has_its_shape(
    name: str, tmp_path: Path
) -> None:
    picture = DRAWN[name](tmp_path)
    made = thumbnail_of(picture)
    assert len(made) <= 8192
    with Image.open(io.BytesIO(picture)) as full, Image.open(io.BytesIO(made)) as small:
        assert small.format in ("PNG", "AVIF")
        assert data_uri(made).startswith(f"data:image/{small.format.lower()};base64,")
        assert small.width / small.height == pytest.approx(full.width / full.height, rel=0.03)
        assert small.width >= 300  # ten-pixel letters of a picture 596 wide are five high
        # A mean difference of an eighth of full scale would be another picture.
        shrunk = np.asarray(full.convert("L").resize(small.size), float)
        assert np.abs(np.asarray(small.convert("L"), float) - shrunk).mean() < 32


def test_a_small_png_stays_as_it_is(tmp_path: Path) -> None:
    picture = silence(tmp_path)
    assert thumbnail_of(picture) == picture


def test_an_address_holds_the_thumbnail_itself(tmp_path: Path) -> None:
    picture = noise(tmp_path, 4)
    head, _, data = data_uri(thumbnail_of(picture)).partition(",")
    assert head == "data:image/avif;base64"
    assert base64.b64decode(data) == thumbnail_of(picture)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnidentifiedImageError):
        thumbnail_of(b"no picture")
