"""Rows of the catalogue as files for other programs: whole, or what was there before stays."""

from __future__ import annotations

import csv
import errno
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from resonate_resources.storage.track_search import COLUMNS
from resonate_resources.storage.tracks import NUMBERS, WHOLE

Row = Mapping[str, Any]

_FORMULA = re.compile(r"(?![+-]?\d+([.,]\d+)?\Z)[=+\-@\t\r\n]")
"""What begins one; numbers are none."""
_ROWS_A_GROUP = 10_000


def write_csv(rows: Iterable[Row], file: Path) -> None:
    """UTF-8, a line of names first; what is not known is empty. A text that spreadsheets would take for a formula
    has a ' before it, as OWASP's page on CSV injection says. Raises OSError, with the file's name."""
    with _in_place(file) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows([_flat(row[name]) for name in COLUMNS] for row in rows)


def write_parquet(rows: Iterable[Row], file: Path) -> None:
    """Numbers as float64 or int64, the rest as text, `accepted` as a truth value. Raises OSError, with the
    file's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {name: pa.float64() for names in NUMBERS.values() for name in names}
    kinds = {**numbers, **dict.fromkeys(WHOLE, pa.int64()), "accepted": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    left = iter(rows)
    with _in_place(file) as partial, partial.open("wb") as stream, pq.ParquetWriter(stream, schema) as writer:
        while group := list(islice(left, _ROWS_A_GROUP)):
            columns = {name: [_joined(row[name]) for row in group] for name in COLUMNS}
            writer.write_table(pa.table(columns, schema))


@contextmanager
def _in_place(file: Path) -> Iterator[Path]:
    """A file beside it, which takes its place when all is written; itself where it is a pipe or a device. Of a link
    the file that it leads to."""
    try:
        if file.exists() and not file.is_file():
            yield file
            return
        target = file.resolve()
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        partial = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex[:8]}")
        try:
            yield partial
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        number, told = error.errno or errno.EIO, error.strerror or str(error)
        raise OSError(number, told, str(file)) from error


def _joined(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else _joined(value)
    return f"'{text}" if isinstance(text, str) and _FORMULA.match(text) else text
