"""What is installed and which weights are there is in the name of a result, as far as it may decide it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.models.workers.environments import AUDIO_SEPARATOR, AUDIOSR, Environment
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json, Product
from resonate_resources.recordings.recording import AudioError, Progress, Recording, write_samples
from resonate_resources.restoration import engines
from resonate_resources.restoration.audiosr.step import WEIGHTS
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.resource import RestorationResource
from resonate_resources.restoration.roformer import MODELS
from resonate_resources.restoration.step import Facts, Mended, Step, StepName
from resonate_resources.storage.artefacts import compute_key

BRIEF = RestorationBrief()


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One without workers, with AudioSR's weights."""
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "workers"))
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))
    weights(tmp_path).parent.mkdir(parents=True)
    weights(tmp_path).write_bytes(b"as published")
    return tmp_path


def weights(machine: Path) -> Path:
    return machine / "models" / "audiosr" / WEIGHTS.name


def install(environment: Environment) -> None:
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment.made.write_text(environment.fingerprint())


def remove(environment: Environment) -> None:
    environment.made.unlink()


def made(brief: RestorationBrief = BRIEF) -> Mapping[str, Json]:
    """The keyed recipe of a result of now, as a manifest keeps it."""
    found: Mapping[str, Json] = json.loads(json.dumps(RestorationResource().recipe(brief, "stem").keyed()))
    return found


def counts(result: Mapping[str, Json], brief: RestorationBrief = BRIEF) -> bool:
    """Whether a stage would leave that result as it is."""
    resource = RestorationResource()
    same = compute_key("", result, {}) == compute_key("", resource.recipe(brief, "stem").keyed(), {})
    return same or resource.accepts(result, brief, "stem")


def test_a_worker_that_is_installed_has_results_remade_that_were_made_without_it() -> None:
    before = made()
    assert counts(before)
    install(AUDIOSR)
    assert not counts(before)
    assert counts(made())


def test_other_weights_are_another_name(machine: Path) -> None:
    install(AUDIOSR)
    before = made()
    weights(machine).write_bytes(b"of another training")
    assert not counts(before)
    weights(machine).write_bytes(b"as published")
    assert counts(before)


def test_what_a_worker_made_that_was_removed_since_stays() -> None:
    before = made()
    install(AUDIOSR)
    better = made()
    remove(AUDIOSR)
    assert counts(better)
    assert counts(before)
    AUDIOSR.made.write_text(AUDIOSR.fingerprint())
    assert counts(better)
    assert not counts(before)


def test_what_the_brief_keeps_out_of_question_is_in_no_name() -> None:
    embedded, denoised = RestorationBrief(engines="embedded"), RestorationBrief(steps=("denoise",))
    before = [made(brief) for brief in (embedded, denoised)]
    install(AUDIOSR)  # which extends
    assert counts(before[0], embedded)
    assert counts(before[1], denoised)


def test_another_brief_is_not_met_by_what_was_made_for_one() -> None:
    install(AUDIOSR)
    before = made(RestorationBrief(preset="aggressive"))
    assert not counts(before)
    remove(AUDIOSR)
    assert not counts(before)


def test_the_weights_of_a_separators_worker_are_in_the_name_too(machine: Path) -> None:
    install(AUDIO_SEPARATOR)
    package = AUDIO_SEPARATOR.directory / "lib" / "python3" / "site-packages" / "audio_separator"
    package.mkdir(parents=True)
    model = MODELS["denoise"][0]
    (package / "models.json").write_text(json.dumps({"roformer_download_list": {"one": {model: "one.yaml"}}}))
    folder = machine / "models" / "audio-separator"
    folder.mkdir()
    for name in (model, "one.yaml", "download_checks.json"):
        (folder / name).write_bytes(b"as published")
    before = made()
    (folder / model).write_bytes(b"of another training")
    assert not counts(before)


class Doing:
    """Takes half of everything off, by weights that come at first use; or fails."""

    name: StepName = "denoise"

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.fetched = fails, False

    @property
    def engine(self) -> Engine:
        return Engine("halving", "large")

    @property
    def settings(self) -> dict[str, Json]:
        return {"weights_sha256": {"large.bin": "ab" * 32} if self.fetched else {}}

    def unavailable(self) -> str | None:
        return None

    def mend(self, recording: Recording, _: Facts, __: Preset, path: Path, ___: Progress) -> Mended:
        if self.fails:
            raise AudioError("the worker halving ended in the middle of its work")
        self.fetched = True
        return Mended(
            write_samples(path, recording.read() * np.float32(0.5), recording.sample_rate), "halved"
        )


def restored(folder: Path, brief: RestorationBrief) -> Product:
    folder.mkdir()
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 20_000)).astype(np.float32)
    recording = write_samples(folder / "in.wav", noise, 8000)
    return RestorationResource().restore_file(recording, brief, folder)


def with_engines(monkeypatch: pytest.MonkeyPatch, *able: Step) -> RestorationBrief:
    monkeypatch.setattr(engines, "engines_of", lambda step, embedded: able)
    return RestorationBrief(steps=("denoise",))


def test_a_result_goes_by_the_weights_that_came_while_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = with_engines(monkeypatch, Doing())
    product = restored(tmp_path / "first", brief)
    assert product.recipe == RestorationResource().recipe(brief, "file")
    assert product.recipe is not None
    assert "ab" * 32 in json.dumps(product.recipe.keyed())


def test_what_was_made_by_the_next_best_after_a_failure_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Next(Doing):
        @property
        def engine(self) -> Engine:
            return replace(super().engine, name="next best")

    brief = with_engines(monkeypatch, Doing(fails=True), Next())
    product = restored(tmp_path / "first", brief)
    assert product.recipe is not None
    assert product.recipe.settings["failed"] == ["denoise"]
    assert product.recipe != RestorationResource().recipe(brief, "file")
    assert not RestorationResource().accepts(product.recipe.keyed(), brief, "file")
    assert any("ended in the middle of its work" in note for note in product.notes)
