"""Listening tests: judged by the binomial distribution, kept with the track."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from math import comb

import pytest

from resonate_resources.storage.resource import StorageResource
from resonate_studio.api.models import AbxResult, AbxTrial
from resonate_studio.hearing.abx import as_csv, keep, p_of, records_of
from resonate_tests.homes import storage

__all__ = ["storage"]


def trials(right: int, count: int) -> list[AbxTrial]:
    return [AbxTrial(x="a", answer="a" if number < right else "b") for number in range(count)]


@pytest.mark.parametrize(
    ("right", "count", "p"),
    # Clark, "High-resolution subjective testing using a double-blind comparator", JAES 30(5), 1982, and by hand.
    [
        (10, 10, 1 / 1024),
        (12, 16, 0.0384),
        (9, 10, 11 / 1024),
        (5, 10, 0.6230),
        (0, 10, 1.0),
        (14, 16, 0.0021),
    ],
)
def test_p_is_that_of_guessing_as_well_or_better(right: int, count: int, p: float) -> None:
    assert p_of(trials(right, count)) == pytest.approx(p, abs=5e-5)


def test_p_is_the_sum_of_the_binomial_tail() -> None:
    for count in (10, 13, 50):
        for right in range(count + 1):
            tail = Fraction(sum(comb(count, k) for k in range(right, count + 1)), 2**count)
            assert p_of(trials(right, count)) == pytest.approx(float(tail), rel=1e-9)


def test_results_are_kept_with_the_track_in_the_order_in_which_they_came(storage: StorageResource) -> None:
    first = keep(storage.store, "song", AbxResult(a="mix", b="master", listener="Ada", trials=trials(9, 10)))
    second = keep(storage.store, "song", AbxResult(a="original", b="master", trials=trials(5, 12)))
    keep(storage.store, "other", AbxResult(a="mix", b="master", trials=trials(5, 10)))
    assert records_of(storage.store, "song").tests == [first, second]
    assert (first.right, second.right) == (9, 5)
    assert storage.store.read(f"listening/song/{first.id}.json") == first.model_dump_json().encode()


def test_a_file_that_is_no_result_is_passed_over_and_told(
    storage: StorageResource, caplog: pytest.LogCaptureFixture
) -> None:
    storage.store.write("listening/song/x.json", b"{")
    kept = keep(storage.store, "song", AbxResult(a="mix", b="master", trials=trials(9, 10)))
    assert records_of(storage.store, "song").tests == [kept]
    assert "listening/song/x.json" in caplog.text


def test_the_table_can_be_read_again_and_runs_nothing_in_a_spreadsheet(storage: StorageResource) -> None:
    names = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", 'Ada, "the ear"\nof Lovelace', "Zoë"]
    for listener in names:
        keep(storage.store, "song", AbxResult(a="mix", b="master", listener=listener, trials=trials(9, 10)))
    rows = list(csv.DictReader(io.StringIO(as_csv(records_of(storage.store, "song")))))
    assert {row["listener"] for row in rows} == {f"'{name}" for name in names[:4]} | set(names[4:])
    assert {row["right"] for row in rows} == {"9"}
    assert rows[0]["answers"] == "aa aa aa aa aa aa aa aa aa ab"
    assert float(rows[0]["p"]) == pytest.approx(11 / 1024)
