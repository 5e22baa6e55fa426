"""A DAWproject as openDAW's reader finds it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree

from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product

REPOSITORY = Path(__file__).parents[3]
READER = REPOSITORY / "resonate_tests" / "readers" / "dawproject"
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
    """npm in the reader's folder, whose packages are as locked; beside our own environments, made once."""
    sources = sorted(READER.iterdir())
    made_of = hashlib.sha256(b"".join(source.read_bytes() for source in sources if source.is_file()))
    home = Path(sys.prefix) / "readers" / f"dawproject-{made_of.hexdigest()[:12]}"

    def run(folder: Path, *words: str) -> str:
        command = [sys.executable, str(REPOSITORY / "page" / "npm.py"), "--prefix", str(folder), *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    if not home.is_dir():
        home.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=home.parent))
        for source in sources:
            shutil.copy(source, making)
        run(making, "ci", "--ignore-scripts")
        with suppress(OSError):  # another session's was there first
            making.rename(home)
        shutil.rmtree(making, ignore_errors=True)
    return partial(run, home)
