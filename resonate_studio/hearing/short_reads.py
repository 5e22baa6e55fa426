"""Reading a recording here and there, a few thousand frames each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import soundfile as sf

from resonate_resources.recordings.recording import Recording


@contextmanager
def opened_for_short_reads(recording: Recording) -> Iterator[sf.SoundFile]:
    """The recording, of which no more is read from disk than is asked for: Linux would read 128 kB ahead of each
    place, ten times as much as is looked at. Raises OSError and soundfile.LibsndfileError."""
    with recording.path.open("rb", buffering=0) as raw:
        os.posix_fadvise(raw.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        with sf.SoundFile(raw.fileno(), closefd=False) as file:
            yield file
