"""Tracks as people name them: by any beginning of a key that is no other's."""

from __future__ import annotations

from collections.abc import Iterator

import click
import dagster as dg
import pytest

from resonate_studio.tracks import find_track


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("tracks", ["blue-0", "blue-01", "blues-02", "red-03"])
        yield instance


@pytest.mark.parametrize(
    ("beginning", "track"),
    [("red-03", "red-03"), ("r", "red-03"), ("blues", "blues-02"), ("blue-0", "blue-0")],
)
def test_an_unambiguous_beginning_is_enough(instance: dg.DagsterInstance, beginning: str, track: str) -> None:
    assert find_track(instance, beginning) == track


def test_what_could_be_several_or_is_none_is_one_line(instance: dg.DagsterInstance) -> None:
    with pytest.raises(click.ClickException, match="blue: 3 tracks begin so: blue-0, blue-01, blues-02"):
        find_track(instance, "blue")
    with pytest.raises(click.ClickException, match="green: no track's key begins so"):
        find_track(instance, "green")
