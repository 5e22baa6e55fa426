"""Muddy and harsh, by what the stems' own kinds lead one to expect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.mixing.conductor.nuance import Judgement
from resonate_resources.mixing.kind import DEFECTS, DOUBTED, Kind, kind_of
from resonate_resources.mixing.plan import Octaves
from resonate_resources.signal.octaves import octave_levels
from resonate_studio.demo_song import DemoSong

STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="module")
def energies(demo_song: DemoSong) -> dict[str, np.ndarray]:
    return {name: octave_levels(stem) for name, stem in demo_song.stems.items()}


def defects_of(kind: Kind) -> dict[str, float]:
    return Judgement(kind, DOUBTED["balanced"], None).defects_db()


def toned(energies: dict[str, np.ndarray], tone_db: Octaves) -> dict[str, np.ndarray]:
    return {name: energy * 10 ** (np.array(tone_db) / 10) for name, energy in energies.items()}


def test_a_composed_song_has_no_defect(energies: dict[str, np.ndarray]) -> None:
    assert defects_of(kind_of(energies)) == {}


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_is_done_to_the_whole_mix_is_told_by_name_and_amount(
    defect: str, energies: dict[str, np.ndarray]
) -> None:
    shape = DEFECTS[defect]
    clean_db, _ = kind_of(energies).amount(shape)
    added = kind_of(toned(energies, tuple(10 * part for part in shape)))
    assert added.amount(shape)[0] - clean_db == pytest.approx(10, abs=1.5)
    found = defects_of(added)
    assert max(found, key=lambda name: found[name]) == defect


def test_a_tone_moved_back_is_as_if_it_had_never_been(energies: dict[str, np.ndarray]) -> None:
    tone: Octaves = (0, 2, 1, 6, 5, 1, 0, -2, -3, 0)
    back = kind_of(toned(energies, tone)).with_tone(tuple(-db for db in tone))
    for shape in DEFECTS.values():
        assert back.amount(shape)[0] == pytest.approx(kind_of(energies).amount(shape)[0], abs=1.5)


def test_louder_is_no_defect_and_one_stem_is_less_certain_than_four(energies: dict[str, np.ndarray]) -> None:
    louder = kind_of({name: 100 * energy for name, energy in energies.items()})
    muddy = DEFECTS["muddy"]
    assert louder.amount(muddy) == pytest.approx(kind_of(energies).amount(muddy))
    raised = toned(energies, tuple(10 * part for part in muddy))
    alone = kind_of({"other": raised["other"]}).amount(muddy)[1]
    assert alone < kind_of(raised).amount(muddy)[1]


def test_silence_has_no_kind() -> None:
    kind = kind_of({name: np.zeros(10) for name in STEMS})
    assert defects_of(kind) == {}


@given(st.floats(0, 12), st.sampled_from(sorted(DEFECTS)))
def test_no_defect_appears_at_a_stroke(added_db: float, defect: str) -> None:
    flat = {name: np.full(10, 1e-3) for name in STEMS}
    at, beside = (
        defects_of(kind_of(toned(flat, tuple(db * part for part in DEFECTS[defect]))))
        for db in (added_db, added_db + 0.01)
    )
    for name in at | beside:
        assert abs(at.get(name, 0.1) - beside.get(name, 0.1)) < 0.2
