"""Covers: made smaller where they would not fit into the files that carry them."""

from __future__ import annotations

import io

_SIDES = (3000, 1500, 800)
"""Pixels of the longer side: the largest that shops ask for, and what phones show."""
_QUALITY = 90
_PIXELS_MAX = 200_000_000
"""An image may be small as a file and not in memory."""


def fitting(image: bytes, most: int) -> tuple[bytes | None, str | None]:
    """An image of at most so many bytes, as JPEG where it had to be made smaller, and a note on what was done.

    None where it is no image, or none that can be made smaller.
    """
    if len(image) <= most:
        return image, None
    size = f"{len(image) / 2**20:.1f} MiB"
    for smaller in _made_smaller(image):
        if len(smaller) <= most:
            return smaller, f"the cover of {size} is made smaller: {len(smaller) / 2**20:.1f} MiB as JPEG"
    return None, f"the cover of {size} is left out: over {most / 2**20:g} MiB, and it can't be made smaller"


def _made_smaller(image: bytes) -> list[bytes]:
    from PIL import Image, ImageOps

    made: list[bytes] = []
    try:
        with Image.open(io.BytesIO(image)) as opened:
            if opened.width * opened.height > _PIXELS_MAX:
                return []
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        for side in _SIDES:
            picture.thumbnail((side, side))
            written = io.BytesIO()
            picture.save(written, "JPEG", quality=_QUALITY)
            made.append(written.getvalue())
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # what Pillow raises for broken images
        return made
    return made
