"""A mix whose voice is naturalised: nothing but the voice moves, and only where it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from resonate_resources.brief.layers import BriefError, Layer, resolve
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import MixingResource
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Recording, Stems
from resonate_tests.resources.mixing.test_mixing import RATE, mixed, planned, stems_of, tone
from resonate_tests.resources.naturalisation.singing import held, sung

HELD: dict[str, Any] = {"naturalise": {"vibrato": 1.0}}


def song(folder: Path) -> Stems:
    """A voice held like a machine's over a bass."""
    voice = np.tile(sung(held(4.0)), (2, 1)).astype(np.float32)
    return stems_of(folder, {"vocals": voice, "bass": tone(100, 0.2)})


def made(stems: Stems, plan: MixPlan, into: Path) -> Product:
    into.mkdir()
    return MixingResource().mix(stems, plan, into)


def test_built_in_nothing_is_naturalised(tmp_path: Path) -> None:
    stems = song(tmp_path)
    plan = planned(stems, tmp_path)
    assert plan.naturalise == {"vibrato": 0.0, "breath": 0.0, "shimmer": 0.0}
    mix, measures = mixed(stems, tmp_path)
    np.testing.assert_array_equal(mix.read(), np.sum([stem.read() for stem in stems.values()], axis=0))
    assert "vibrato_notes" not in measures


def test_what_is_asked_for_sways_the_voice_and_nothing_else(tmp_path: Path) -> None:
    stems = song(tmp_path)
    product = made(stems, planned(stems, tmp_path, **HELD), tmp_path / "made")
    assert product.measures["vibrato_notes"] == 1
    assert product.notes[0].startswith("vibrato in 1 of 1 held notes, at 0:00.")
    plain = np.sum([stem.read() for stem in stems.values()], axis=0)
    moved = np.abs(Recording.open(product.files["mix.wav"]).read() - plain).max(axis=0)
    assert moved.max() > 0.01
    assert not moved[: round(0.3 * RATE)].any()
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["mix.wav"]


def test_a_stem_that_is_hardly_a_voice_is_left_alone(tmp_path: Path) -> None:
    """What is present by a half sways by a half; what is not present, not at all."""
    stems = song(tmp_path)
    plan = planned(stems, tmp_path, **HELD)
    extents = []
    for present in (1.0, 0.5, 0.0):
        voice = plan.stems["vocals"].model_copy(update={"present": present})
        fewer = plan.model_copy(update={"stems": {**plan.stems, "vocals": voice}})
        extents.append(made(stems, fewer, tmp_path / str(present)).measures.get("vibrato_cents", 0.0))
    assert extents == pytest.approx([12, 6, 0])


def test_a_song_without_a_voice_is_mixed_as_ever(tmp_path: Path) -> None:
    stems = stems_of(tmp_path, {"drums": tone(4000, 0.1), "bass": tone(100, 0.2)})
    plan = planned(stems, tmp_path, **HELD)
    assert "vibrato_notes" not in made(stems, plan, tmp_path / "made").measures


def test_the_track_itself_says_that_its_voice_is_not_apart(tmp_path: Path) -> None:
    whole = stems_of(tmp_path, {"track": tone(440, 0.2)})
    plan = planned(whole, tmp_path, balance="master-only", **HELD)
    assert "the voice is not naturalised: in the track itself it is not apart" in plan.reasons
    assert not any(plan.naturalise.values())


@pytest.mark.parametrize("wrong", [{"vibrato": 1.1}, {"breath": -0.1}, {"tremolo": 1.0}])
def test_amounts_out_of_range_and_unknown_parts_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MixingBrief(naturalise=wrong)  # type: ignore[arg-type]
    with pytest.raises(BriefError, match=r"mixing\.naturalise"):
        resolve([Layer("brief.toml", {"mixing": {"naturalise": wrong}})])


def test_parts_from_several_places_add_up() -> None:
    resolved = resolve(
        [
            Layer("home", {"mixing": {"naturalise": {"vibrato": 0.5}}}),
            Layer("folder", {"mixing": {"naturalise": {"shimmer": 1.0}}}),
        ]
    )
    assert resolved.brief.mixing.naturalise == {"vibrato": 0.5, "breath": 0.0, "shimmer": 1.0}
