import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.parallel import ahead, in_parallel


@given(items=st.lists(st.integers()), at_once=st.integers(1, 4))
def test_results_come_in_the_order_of_their_items(items, at_once):
    assert list(in_parallel(str, items, at_once)) == [str(item) for item in items]


def test_so_many_are_worked_on_at_once():
    both = threading.Barrier(2, timeout=10)  # one alone would wait for ever
    assert list(in_parallel(lambda item: (both.wait(), item)[1], range(6), 2)) == list(range(6))


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = in_parallel(lambda item: item, items(), 2)
    next(results)
    assert len(taken) <= 3


def test_what_fails_is_raised_in_its_place_and_what_was_begun_has_ended():
    ended = []

    def work(item):
        if item == 1:
            raise ValueError("no second")
        time.sleep(0.05)
        ended.append(item)
        return item

    results = in_parallel(work, range(10), 2)
    assert next(results) == 0
    with pytest.raises(ValueError, match="no second"):
        next(results)
    assert set(ended) <= {0, 2, 3}
    before = len(ended)
    time.sleep(0.1)
    assert len(ended) == before


@given(items=st.lists(st.integers()), depth=st.integers(1, 4))
def test_what_is_made_ahead_comes_in_order_and_never_further_ahead(items, depth):
    made = []

    def make():
        for item in items:
            made.append(item)
            yield item

    for taken, item in enumerate(ahead(make(), depth)):
        assert item == items[taken]
        assert len(made) <= taken + 1 + depth
    assert made == items


def test_what_fails_ahead_fails_where_it_is_asked_for():
    def make():
        yield 1
        raise ValueError("no second")

    items = ahead(make(), 2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no second"):
        next(items)
