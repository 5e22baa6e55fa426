"""A DAWproject as openDAW's reader finds it."""

from __future__ import annotations

import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree

from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_tests.reader_environments import npm_with

Told = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """product: what we told; found: what the reader did."""

    song: Song
    product: Product
    found: Told
    path: Path

    @property
    def project(self) -> Told:
        return self.found["project"]

    def xml(self, name: str) -> Any:
        with zipfile.ZipFile(self.path) as archive:
            return etree.fromstring(archive.read(name))

    def tracks(self) -> Iterator[Told]:
        """All, those of groups after their group."""

        def below(tracks: Sequence[Told]) -> Iterator[Told]:
            for track in tracks:
                yield track
                yield from below(track["tracks"])

        return below(self.project["structure"])

    def track(self, name: str) -> Told:
        return next(track for track in self.tracks() if track["name"] == name)

    def clip(self, name: str) -> Told:
        """The only clip of a track."""
        lanes = [
            lane
            for lane in self.project["arrangement"]["lanes"]["lanes"]
            if lane["track"] == self.track(name)["id"]
        ]
        [lane] = lanes
        [clips] = lane["lanes"]
        [clip] = clips["clips"]
        return clip

    def second(self, quarter: float) -> float:
        """By the tempo at the start and its changes, each of which holds until the next."""
        automation = self.project["arrangement"].get("tempoAutomation")
        tempi = [(0.0, self.project["transport"]["tempo"]["value"])]
        if automation:
            assert {point["interpolation"] for point in automation["points"]} == {"hold"}
            assert automation["timeUnit"] == "beats"
            tempi = [(float(point["time"]), point["value"]) for point in automation["points"]]
            assert tempi[0] == (0.0, self.project["transport"]["tempo"]["value"])
        second = 0.0
        for (begins, bpm), (ends, _) in zip(tempi, [*tempi[1:], (np.inf, 0)], strict=True):
            second += max(min(quarter, ends) - begins, 0.0) * 60 / bpm
        return second

    def bar_lines(self, until: float) -> list[float]:
        """Quarter notes at which bars begin, by the time signature and its changes."""
        automation = self.project["arrangement"].get("timeSignatureAutomation")
        first = self.project["transport"]["timeSignature"]
        changes = [(0.0, first["numerator"], first["denominator"])]
        if automation:
            changes = [
                (float(point["time"]), point["numerator"], point["denominator"])
                for point in automation["points"]
            ]
        lines, at = [], 0.0
        while at <= until:
            lines.append(at)
            _, numerator, denominator = changes[bisect_right([change[0] for change in changes], at) - 1]
            at += numerator * 4 / denominator
        return lines

    def warps(self, name: str) -> list[tuple[float, float]]:
        """(quarter notes, seconds of the file) of a track's sound."""
        [warps] = self.clip(name)["content"]
        assert (warps["type"], warps["timeUnit"], warps["contentTimeUnit"]) == (
            "WarpsSchema",
            "beats",
            "seconds",
        )
        return [(warp["time"], warp["contentTime"]) for warp in warps["warps"]]


@pytest.fixture(scope="session")
def dawproject_npm() -> Callable[..., str]:
    """npm in the reader's folder."""
    return partial(npm_with, "dawproject")
