"""Thumbnails: pictures small enough to be kept with every event that shows them."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 8192
"""Of an encoded thumbnail. Dagster keeps each in its event log: ten a track are 110 kB, as base64 takes a third."""

_QUALITY = 30
"""Of AVIF: letters of ten pixels can be read. At equal bytes WebP leaves them two thirds of the size, PNG half."""


def data_uri(thumbnail: bytes) -> str:
    """A thumbnail, as the address that stands for it in Markdown and HTML."""
    kind = "png" if thumbnail.startswith(b"\x89PNG") else "avif"
    return f"data:image/{kind};base64,{base64.b64encode(thumbnail).decode()}"


def thumbnail_of(picture: bytes) -> bytes:
    """A picture as an image of at most MAX_BYTES: as it is where it is a PNG that small.

    Else as AVIF, as large as fits. Raises PIL.UnidentifiedImageError where it is no picture.
    """
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        if len(picture) <= MAX_BYTES and opened.format == "PNG":
            return picture
        image = opened.convert("RGB")
    scale = 1.0
    while len(made := _encoded(image, scale)) > MAX_BYTES:
        # Bytes go with the area, roughly: a little more than that is taken off, so that two or three tries do.
        scale *= 0.95 * math.sqrt(MAX_BYTES / len(made))
    return made


def _encoded(image: Image.Image, scale: float) -> bytes:
    from PIL import Image

    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    file = io.BytesIO()
    shrunk = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    shrunk.save(file, "AVIF", quality=_QUALITY, speed=7)
    return file.getvalue()
