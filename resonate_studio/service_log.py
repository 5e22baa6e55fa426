"""What Dagster's services say, kept in a file: thousands of lines, which nobody needs until something is wrong."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO, cast

import click

from resonate_resources.watching.json_lines import JsonLines, as_json_line, wanted
from resonate_studio.terminal import plain

NAME = "dev.log"
_LARGEST_BYTES = 20_000_000
"""Then what there is becomes `dev.log.1`: services that run for months fill no disk."""


class ServiceLog:
    """`dev.log` in a folder, begun anew. Raises OSError."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.file = folder / name
        for old in (self.file, self.file.with_name(f"{name}.1")):
            old.unlink(missing_ok=True)
        self._lines = _Lines(
            self.file, maxBytes=_LARGEST_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"
        )

    def write(self, line: bytes) -> None:
        """One line, from any thread. As JSON where that is asked for, and then on stderr, too, where programs that
        collect lines look."""
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if wanted():
            text = as_json_line(text)
            print(text, file=sys.__stderr__, flush=True)
        self._lines.handle(_record(text))

    @contextmanager
    def said_here(self) -> Iterator[None]:
        """What this process prints in the block goes into the log."""
        sink = _Sink(self)
        stream = cast(TextIO, sink)
        with redirect_stdout(stream), redirect_stderr(stream):
            yield
        sink.write("\n")

    @contextmanager
    def logged_here(self) -> Iterator[None]:
        """Warnings of this process's libraries go into the log while the block lasts, in place of stderr."""
        handler = _ToLog(self)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)

    def last_lines(self, count: int) -> list[str]:
        """Of what there is; each printable."""
        lines = self.file.read_text("utf-8", "backslashreplace").splitlines()
        return [plain(line) for line in lines[-count:]]

    def close(self) -> None:
        with suppress(OSError):  # a full disk, which has been told
            self._lines.close()


class _Lines(RotatingFileHandler):
    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 — logging's
        """On a full disk: told once, and the services go on."""
        if not self._told:
            self._told = True
            click.echo(f"{plain(self.baseFilename)}: can't be written to ({sys.exc_info()[1]})", err=True)


class _ToLog(logging.Handler):
    def __init__(self, log: ServiceLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        if wanted():
            self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).splitlines():
            self._log.write(line.encode("utf-8", "backslashreplace"))


class _Sink:
    """Takes the place of stdout and stderr. Progress bars write a line again and again; the last is kept."""

    encoding = "utf-8"

    def __init__(self, log: ServiceLog) -> None:
        self._log = log
        self._begun = ""

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in filter(None, whole):
            self._log.write(line.rsplit("\r", 1)[-1].encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def _record(line: str) -> logging.LogRecord:
    return logging.LogRecord("services", logging.INFO, "", 0, line, None, None)
