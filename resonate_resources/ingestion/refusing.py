"""What is wrong with a file, in one line; what is wrong with the machine is not blamed on it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError, DestinationError
from resonate_resources.storage.s3_store import S3Error

_OF_THE_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""Errors that say nothing about the file at hand: to reject it for them would lose it."""


class ReplacedError(AudioError):
    """A file holds other content than when it was found. Nothing is wrong with it: it is another track now."""


def name_of(uri: str) -> str:
    """A file's own name."""
    return uri.rstrip("/").rpartition("/")[2]


@contextmanager
def refused_in_one_line(uri: str) -> Iterator[None]:
    """Whatever goes wrong in there with a file becomes an AudioError of one line: which file, what, what to do.

    A full disk, S3 that does not answer and the like stay what they are.
    """
    try:
        yield
    except AudioError:
        raise
    except Exception as error:  # hostile bytes make libraries raise anything
        if _is_of_the_machine(error):
            raise
        raise AudioError(f"{printable_name(name_of(uri))}: {_told(error)}") from error


def _is_of_the_machine(error: Exception) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, (S3Error, DestinationError, MemoryError, BotoCoreError, ClientError)):
        return True
    return isinstance(error, OSError) and error.errno in _OF_THE_MACHINE


def _told(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist any more; drop it in again"
    if isinstance(error, PermissionError):
        return "may not be read (no permission); change its permissions"
    if isinstance(error, OSError) and error.errno:
        return f"can't be read ({os.strerror(error.errno).lower()}); check the disk"
    reason = " ".join(str(error).split())[:120]
    return f"can't be used ({reason or 'no reason was given'}); convert it to WAV or FLAC and try again"
