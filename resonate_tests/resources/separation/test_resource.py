from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.separation import resource
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.engines import Offer
from resonate_resources.separation.resource import QUALITY, REPORT, SeparationResource
from resonate_resources.separation.router import EngineFacts, Machine
from resonate_tests.resources.separation.separators import RATE, Truthful, true_stems

SECONDS = 40
TRUTH = true_stems(SECONDS)


@pytest.fixture
def track(tmp_path: Path) -> Recording:
    return write_samples(tmp_path / "track.wav", np.sum(list(TRUTH.values()), axis=0), RATE)


@pytest.fixture
def truth(tmp_path: Path) -> str:
    folder = tmp_path / "truth"
    folder.mkdir()
    for name, stem in TRUTH.items():
        write_samples(folder / f"{name}.wav", stem, RATE)
    return str(folder)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Engines in the places of those that could run: name → dB of its stems."""

    def stand_in(**quality_db: float) -> None:
        made = [
            Offer(name, None, 4, partial(Truthful, name, TRUTH, [decibels] * (SECONDS // 10)))
            for name, decibels in quality_db.items()
        ]
        monkeypatch.setattr(resource, "offers", lambda _ledger: made)
        monkeypatch.setattr(resource, "look_at_machine", lambda: Machine(gpu=False, load=0.0))

    return stand_in


def separate(track: Recording, into: Path, policy: str = "", **wanted: Any) -> Product:
    separation = SeparationResource(policy=policy)
    return separation.separate(separation.plan(track, SeparationBrief(**wanted)), into)


def keyed(track: Recording, policy: str = "", **wanted: Any) -> list[str]:
    """The recipes of what may come of a separation, the one that ends soonest first."""
    planned = SeparationResource(policy=policy).plan(track, SeparationBrief(**wanted))
    return [json.dumps(recipe.keyed(), sort_keys=True) for recipe in planned.recipes]


def strict(product: Product, report: bool = True) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    path = product.reports[REPORT] if report else product.files[QUALITY]
    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def total(product: Product, prefix: str = "") -> np.ndarray:
    return np.sum([Recording.open(product.files[f"{prefix}{name}.wav"]).read() for name in TRUTH], axis=0)


def test_stems_that_do_not_sum_are_made_to_and_kept_as_they_were(engines, track, truth, into):
    engines(demucs=15.0)
    product = separate(track, into, truth=truth)
    stems = [f"{name}.wav" for name in TRUTH]
    assert list(product.files) == [*stems, *(f"raw/{name}" for name in stems), QUALITY]
    assert list(product.reports) == [REPORT]
    assert sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()) == sorted(
        [*product.files, *product.reports]
    )
    mix = track.read()
    assert np.abs(total(product) - mix).max() < 1e-5
    assert np.abs(total(product, "raw/") - mix).max() > 1e-3
    assert float(product.measures["null_depth_db"]) < -120
    # four stems of equal power, each with noise 15 dB under it: so is the noise of the sum
    assert float(product.measures["raw_null_depth_db"]) == pytest.approx(-15, abs=0.2)


def test_unless_nobody_wants_that(engines, track, truth, into):
    engines(demucs=15.0)
    product = separate(track, into, truth=truth, exact_sum=False)
    assert list(product.files) == [*(f"{name}.wav" for name in TRUTH), QUALITY]
    assert float(product.measures["null_depth_db"]) == pytest.approx(-15, abs=0.2)


def test_what_ran_and_why_is_told(engines, track, truth, into):
    engines(demucs=3.0, spectral=9.0)
    product = separate(track, into, truth=truth, exact_sum=False)
    assert product.recipe is not None
    assert product.recipe.engine.name == "router"
    assert [step["engine"] for step in product.recipe.settings["steps"]] == ["demucs", "spectral"]
    assert product.engine is not None
    assert product.engine.name == "spectral"
    assert product.notes[:2] == (
        "demucs: all kept, vocals measured at 3.0 dB (by default)",
        "spectral: better in 4 of 4 windows (vocals measured at 3.0 dB, under 7; by default)",
    )
    assert float(product.measures["vocals_si_sdr_db"]) == pytest.approx(9, abs=0.2)
    report = strict(product)
    assert report["engine"] == "spectral"
    assert [attempt["engine"] for attempt in report["attempts"]] == ["demucs", "spectral"]
    assert len(report["quality"]["vocals"]["windows"]) == 4
    # What later stages go by is content; how it came to be is told beside it.
    assert strict(product, report=False)["quality"] == report["quality"]


def test_an_engine_asked_for_by_name_stays_however_poor(engines, track, truth, into):
    engines(demucs=3.0, spectral=9.0)
    product = separate(track, into, engine="demucs", truth=truth)
    assert product.engine is not None
    assert product.engine.name == "demucs"
    assert len(strict(product)["attempts"]) == 1


def test_without_a_truth_quality_is_predicted_and_called_so(engines, track, into):
    engines(demucs=20.0)
    product = separate(track, into)
    assert {quality["kind"] for quality in strict(product)["quality"].values()} == {"predicted"}
    assert not any("si_sdr" in name for name in product.measures)
    assert float(product.measures["vocals_predicted_quality_error_db"]) > 0


@dataclass(frozen=True)
class Paid(Offer):
    def facts(self, track: Recording | None = None) -> EngineFacts:
        return replace(super().facts(track), cost_minutes=3.0)


@pytest.mark.parametrize(("level_db", "paid"), [(-20.0, False), (-50.0, True)])
def test_by_the_policy_no_service_is_paid_for_a_track_whose_vocals_are_leakage(
    tmp_path, into, monkeypatch, level_db, paid
):
    """What is called vocals is 40 dB under the other three stems, 45 under their sum."""
    parts = {name: stem * (0.01 if name == "vocals" else 1) for name, stem in TRUTH.items()}
    track = write_samples(tmp_path / "instrumental.wav", np.sum(list(parts.values()), axis=0), RATE)
    offers = [
        kind(name, None, 4, partial(Truthful, name, parts, [20.0] * 4))
        for kind, name in ((Offer, "demucs"), (Paid, "lalal"))
    ]
    monkeypatch.setattr(resource, "offers", lambda _ledger: offers)
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "retry_below_db = 30\nmost_cost_minutes = 9\n"
        f"instrumental = {{ level_db = {level_db}, quality_db = 30 }}\n"
        '[[rule]]\nname = "all"\nengines = ["demucs", "lalal"]',
        "utf-8",
    )
    product = separate(track, into, str(policy))
    second = strict(product)["attempts"][1]
    assert second["engine"] == "lalal"
    assert (second["cost_minutes"] > 0) is paid
    assert ("cost_minutes" in product.measures) is paid
    assert any(note.startswith("lalal: left out (vocals predicted at") for note in product.notes) is not paid


def policy_in(folder: Path, retry_below_db: float, *engines: str) -> str:
    file = folder / f"{'-'.join(engines)}-{retry_below_db}.toml"
    file.write_text(
        f"retry_below_db = {retry_below_db}\nmost_cost_minutes = 1\n"
        f'[[rule]]\nname = "x"\nengines = {json.dumps(engines)}',
        "utf-8",
    )
    return str(file)


def test_what_would_change_a_result_changes_the_key(engines, track, truth, tmp_path):
    engines(demucs=10.0)
    wished: list[dict[str, Any]] = [
        {},
        {"exact_sum": False},
        {"stems": 2},
        {"truth": truth},
        {"engine": "demucs"},  # however poor its vocals are
        {"policy": policy_in(tmp_path, 1.0, "demucs")},
    ]
    keys = [keyed(track, **wish)[0] for wish in wished]
    engines(demucs=11.0)
    keys.append(keyed(track)[0])
    assert len(set(keys)) == len(keys)
    assert keys[-1] == keyed(track)[0]


def test_a_priority_changes_the_key_where_it_changes_the_engines(engines, track):
    engines(demucs=10.0, uvr=11.0)  # by the policy uvr comes before demucs where vocals come first
    first, second = keyed(track), keyed(track, priority="vocals")
    assert not set(first) & set(second)
    engines(demucs=10.0)
    assert keyed(track, priority="vocals") == keyed(track)


def test_an_engine_that_is_not_come_to_is_in_no_key(engines, track, into, truth):
    engines(demucs=10.0)
    alone = keyed(track, truth=truth)
    engines(demucs=10.0, spectral=9.0)
    product = separate(track, into, truth=truth)
    assert product.recipe is not None
    assert json.dumps(product.recipe.keyed(), sort_keys=True) == keyed(track, truth=truth)[0] == alone[0]


def test_two_stems_are_measured_against_the_sum_of_what_the_rest_holds(track, truth, into):
    product = separate(track, into, engine="spectral", stems=2, truth=truth)
    assert [name for name in product.files if name.endswith(".wav")] == ["vocals.wav", "other.wav"]
    report = strict(product)
    assert {quality["kind"] for quality in report["quality"].values()} == {"measured"}
    other = Recording.open(product.files["other.wav"]).read()
    rest = TRUTH["drums"] + TRUTH["bass"] + TRUTH["other"]
    alpha = np.vdot(other, rest) / np.vdot(rest, rest)
    expected = 10 * np.log10(np.sum((alpha * rest) ** 2) / np.sum((other - alpha * rest) ** 2))
    assert report["quality"]["other"]["si_sdr_db"] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ({"engine": "demux"}, "demux: no such engine"),
        ({"stems": 6, "engine": "spectral"}, "spectral: gives 2 or 4 stems, not 6"),
        ({"policy": "/nowhere/policy.toml"}, "the separation policy can't be read"),
        ({"truth": "/nowhere"}, "holds no true stems"),
    ],
)
def test_what_cannot_be_done_is_one_line(track, into, wish, line):
    with pytest.raises(AudioError) as error:
        separate(track, into, **wish)
    assert line in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert list(into.iterdir()) == []


def test_a_truth_of_another_length_is_refused(track, truth, into):
    write_samples(Path(truth) / "vocals.wav", TRUTH["vocals"][:, :-1], RATE)
    with pytest.raises(AudioError, match=r"vocals\.wav: rate, channels or length differ"):
        separate(track, into, engine="spectral", truth=truth)


def test_the_embedded_engine_names_the_weights_that_it_ran_with(track, truth, into):
    told = strict(separate(track, into, engine="spectral", truth=truth))
    assert (told["engine"], told["model"]) == ("spectral", "deezer/spleeter:2stems")
