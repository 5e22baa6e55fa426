"""What no stage measured: known a moment after it is first asked for, and from then on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from resonate_resources.storage.resource import StorageResource
from resonate_studio.api import models
from resonate_studio.api.hearable import hearable_of
from resonate_studio.api.measuring import with_measures
from resonate_studio.hearing.light_copies import LightCopies
from resonate_studio.hearing.light_store import LightStore
from resonate_tests.homes import storage
from resonate_tests.studio.hearing.test_routes import made
from resonate_tests.studio.hearing.test_segments import music

__all__ = ["storage"]

_RATE = 44_100
_LATE = 441  # 10 ms: 480 frames of the grid


def measured(storage: StorageResource, light: Path) -> tuple[Mapping[str, models.Version], bool]:
    stages = ("raw_track", "master", "stems", "regenerated_stems")
    artefacts = {
        stage: artefact for stage in stages if (artefact := storage.artefacts.current(stage, "song"))
    }
    heard = hearable_of(storage, "song", artefacts)
    copies = LightCopies(LightStore(light, 10**8))
    until = time.monotonic() + 60
    first = with_measures(copies, heard)
    assert [version.id for version in first[0]] == [one.version.id for one in heard]
    while with_measures(copies, heard)[1]:
        assert time.monotonic() < until
        time.sleep(0.05)
    return {version.id: version for version in with_measures(copies, heard)[0]}, first[1]


@pytest.fixture
def versions(tmp_path: Path, storage: StorageResource) -> Mapping[str, models.Version]:
    samples = music(6.0, _RATE)
    stem = 0.2 * samples
    made(storage, tmp_path, "raw_track", track=samples)
    made(storage, tmp_path, "master", 1, master=np.roll(samples, 2 * _LATE, axis=1))
    made(storage, tmp_path, "master", 2, master=np.roll(samples, _LATE, axis=1))
    made(storage, tmp_path, "stems", vocals=stem, drums=np.zeros_like(stem))
    made(storage, tmp_path, "regenerated_stems", vocals=np.roll(stem, -_LATE, axis=1))
    found, measuring = measured(storage, tmp_path / "light")
    assert measuring
    return found


def test_a_stem_is_as_loud_as_another_meter_of_the_same_standard_says(
    versions: Mapping[str, models.Version],
) -> None:
    stem = 0.2 * music(6.0, _RATE)
    expected = pyloudnorm.Meter(_RATE).integrated_loudness(stem.T)
    assert versions["stems:vocals"].loudness_lufs == pytest.approx(expected, abs=0.1)
    assert versions["stems:drums"].loudness_lufs is None  # silence has none


def test_what_is_late_or_early_is_so_to_the_sample_earlier_results_too(
    versions: Mapping[str, models.Version],
) -> None:
    assert versions["master"].offset_s == _LATE / _RATE
    assert [one.offset_s for one in versions.values() if not one.current] == [2 * _LATE / _RATE]
    assert versions["regenerated_stems:vocals"].offset_s == -_LATE / _RATE
    assert versions["original"].offset_s == versions["stems:vocals"].offset_s == 0.0


def test_what_was_measured_once_is_there_at_once_after_a_restart(
    versions: Mapping[str, models.Version], tmp_path: Path, storage: StorageResource
) -> None:
    again, measuring = measured(storage, tmp_path / "light")
    assert not measuring
    assert again == versions
