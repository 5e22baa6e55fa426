from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Recording, Samples, Stems, write_samples
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.resource import FACTS, REPORT, TRACES, RestorationResource
from resonate_resources.signal.traces import Traces, find_traces
from resonate_studio.demo_song import DemoSong, PhoneRecording
from resonate_tests.benchmarks.damage.distance import band_balance_db, log_spectral_distance

EMBEDDED = RestorationBrief(engines="embedded")


def told(traces: Traces) -> dict[str, Any]:
    """As a profile has it in JSON."""
    return json.loads(json.dumps({name: getattr(traces, name) for name in FACTS}, default=vars))


def opened(product: Product) -> Stems:
    return {path.stem: Recording.open(path) for path in product.files.values() if path.suffix == ".wav"}


def steps(product: Product) -> dict[str, list[dict[str, Any]]]:
    return json.loads(product.reports[REPORT].read_text(encoding="utf-8"))


def restored_stems(stems: Stems, into: Path, brief: RestorationBrief = EMBEDDED) -> Product:
    facts = told(find_traces(next(iter(stems.values()))))
    return RestorationResource().restore_stems(stems, facts, brief, into)


def saved(folder: Path, rate: int, **stems: Samples) -> Stems:
    return {
        name: write_samples(folder / f"source-{name}.wav", samples, rate) for name, samples in stems.items()
    }


def test_a_song_as_it_left_the_studio_is_the_very_same_afterwards(
    demo_song: DemoSong, tmp_path: Path
) -> None:
    facts = told(find_traces(demo_song.mix))
    product = RestorationResource().restore_track(demo_song.mix, facts, EMBEDDED, tmp_path)
    assert opened(product)["track"].sha256 == demo_song.mix.sha256
    assert product.measures["steps_kept"] == 0


def test_its_recording_on_a_phone_comes_nearer_to_it(
    demo_song: DemoSong, phone_recording: PhoneRecording, tmp_path: Path
) -> None:
    product = RestorationResource().restore_file(phone_recording.mix, EMBEDDED, tmp_path)
    clean, before, after = (
        one.read() for one in (demo_song.mix, phone_recording.mix, opened(product)["track"])
    )
    rate = demo_song.mix.sample_rate
    for distance in (log_spectral_distance, band_balance_db):
        assert distance(after, clean, rate) < distance(before, clean, rate)
    assert product.measures["steps_kept"]
    assert all(step["reason"] and step["engine"] for step in steps(product)["track"])


def test_what_is_told_of_a_track_that_was_mended_is_measured_after_it(
    phone_recording: PhoneRecording, tmp_path: Path
) -> None:
    before = told(find_traces(phone_recording.mix))
    product = RestorationResource().restore_track(phone_recording.mix, before, EMBEDDED, tmp_path)
    after = json.loads(product.reports[TRACES].read_text())
    assert after == told(find_traces(opened(product)["track"]))
    assert after["noise_floor_dbfs"] < before["noise_floor_dbfs"] - 10


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_stems_keep_names_rate_channels_and_length_whatever_they_are(
    tmp_path: Path, rate: int, channels: int
) -> None:
    noise = np.random.default_rng(1).standard_normal((channels, 3 * rate)).astype(np.float32)
    stems = saved(tmp_path, rate, vocals=0.1 * noise, drums=np.zeros_like(noise), bass=0.5 * np.sign(noise))
    made = opened(restored_stems(stems, tmp_path))
    assert list(made) == list(stems)
    for name, stem in stems.items():
        assert (made[name].sample_rate, made[name].channels, made[name].frames) == (
            stem.sample_rate,
            stem.channels,
            stem.frames,
        )
        assert np.isfinite(made[name].read()).all()
    np.testing.assert_array_equal(made["drums"].read(), 0)


def test_stems_of_one_sample_come_back(tmp_path: Path) -> None:
    stems = saved(tmp_path, 44_100, vocals=np.ones((2, 1), np.float32), drums=np.zeros((2, 1), np.float32))
    every = RestorationBrief(engines="embedded", steps=("denoise", "deess", "extend"))
    made = opened(restored_stems(stems, tmp_path, every))
    for name, stem in stems.items():
        np.testing.assert_array_equal(made[name].read(), stem.read())


def test_what_is_left_alone_takes_no_room_on_disk(tmp_path: Path) -> None:
    stems = saved(tmp_path, 44_100, vocals=np.zeros((2, 44_100), np.float32))
    made = opened(restored_stems(stems, tmp_path))
    assert made["vocals"].path.stat().st_ino == stems["vocals"].path.stat().st_ino


def test_another_engine_or_preset_is_another_recipe() -> None:
    resource = RestorationResource()
    kept = {
        json.dumps(resource.recipe(brief, "track").keyed(), sort_keys=True)
        for brief in (
            RestorationBrief(),
            RestorationBrief(preset="aggressive"),
            RestorationBrief(steps=("declip",)),
            RestorationBrief(engines="embedded"),
        )
    }
    assert len(kept) == 4
