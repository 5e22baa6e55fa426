"""Rows of the catalogue as files for other programs: whole, or what was there before stays."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from resonate_resources.storage.track_search import COLUMNS
from resonate_resources.storage.tracks import NUMBERS, WHOLE

Row = Mapping[str, Any]

_ROWS_A_GROUP = 10_000


def write_csv(rows: Iterable[Row], file: Path) -> None:
    """UTF-8, a line of names first; what is not known is empty. Raises OSError."""
    with _in_place(file) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows([_flat(row[name]) for name in COLUMNS] for row in rows)


def write_parquet(rows: Iterable[Row], file: Path) -> None:
    """Numbers as float64 or int64, the rest as text, `accepted` as a truth value. Raises OSError."""
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
    """A file beside it, which takes its place when all is written."""
    partial = file.with_name(f".{file.name[:100]}.{uuid.uuid4().hex[:8]}")
    try:
        yield partial
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _joined(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else _joined(value)
