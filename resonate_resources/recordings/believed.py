"""What of tempo and key in a file's tags can be meant: the scan of a library and exports go by the same."""

from __future__ import annotations

from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.spelling import spelt

SLOWEST_BPM, FASTEST_BPM = 20.0, 300.0
"""What beats per minute in a tag can be meant; slower than largo, faster than speedcore is a slip of somebody's."""
_OFF_KEY = "o"
"""ID3's own word for music without one (id3.org, "ID3 tag version 2.4.0 - Native Frames", TKEY)."""


def believed_bpm(tags: Tags) -> float | None:
    """Beats per minute, None where the tag has none that can be meant."""
    return tags.bpm if tags.bpm is not None and SLOWEST_BPM <= tags.bpm <= FASTEST_BPM else None


def believed_key(tags: Tags) -> str | None:
    """The key as the tag has it, None where that is no key."""
    return tags.key if tags.key and is_key(tags.key) else None


def is_key(text: str) -> bool:
    """Whether a text is a key in any notation, or says that there is none."""
    try:
        return text == _OFF_KEY or bool(spelt(text))
    except ValueError:
        return False
