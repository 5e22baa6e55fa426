"""Results of listening tests: whether two versions were told apart, kept with the track."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from resonate_resources.storage.store import Store
from resonate_studio.api.models import AbxRecord, AbxRecords, AbxResult, AbxTrial

FOLDER = "listening"
"""In storage: <track>/<id>.json."""

_log = logging.getLogger(__name__)
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def p_of(trials: Sequence[AbxTrial]) -> float:
    """How likely as many right answers, or more, are by guessing: exact, one-sided, binomial."""
    from scipy.stats import binomtest

    return float(binomtest(right_of(trials), len(trials), 0.5, alternative="greater").pvalue)


def right_of(trials: Sequence[AbxTrial]) -> int:
    return sum(trial.x == trial.answer for trial in trials)


def keep(store: Store, track: str, result: AbxResult) -> AbxRecord:
    """Judge a result and keep it."""
    record = AbxRecord(
        **dict(result),
        id=uuid4(),
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        right=right_of(result.trials),
        p=p_of(result.trials),
    )
    store.write(f"{FOLDER}/{track}/{record.id}.json", record.model_dump_json().encode())
    return record


def records_of(store: Store, track: str) -> AbxRecords:
    """All of a track, the first one first. A file among them that is none is passed over, and told in the log."""
    records = []
    for entry in store.entries(f"{FOLDER}/{track}"):
        try:
            records.append(AbxRecord.model_validate_json(store.read(entry.key) or b""))
        except ValidationError:
            _log.warning("%s: is no result of a listening test", entry.key)
    return AbxRecords(tests=sorted(records, key=lambda record: record.at))


def as_csv(records: AbxRecords) -> str:
    """A row for each test. answers: what was hidden and what was said of each trial."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(
        (
            *("id", "at", "a", "b", "listener", "start_s", "end_s", "loudness_matched"),
            *("trials", "right", "p", "answers"),
        )
    )
    for test in records.tests:
        said = " ".join(f"{trial.x}{trial.answer}" for trial in test.trials)
        end_s = "" if test.end_s is None else test.end_s
        rows.writerow(
            (
                *(test.id, test.at, test.a, test.b, _harmless(test.listener), test.start_s, end_s),
                *(test.loudness_matched, len(test.trials), test.right, test.p, said),
            )
        )
    return file.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
