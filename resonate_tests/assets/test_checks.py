"""Each check passes what is right and fails what is wrong, on artefacts made for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_assets import checks, checks_of_sound
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import PLAN
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.encoding import encode_flac
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.store import LocalStore, new_directory

RATE = 48_000
STEMS = ("vocals", "drums", "bass", "other")

Make = Callable[..., Artefact]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes an artefact of a stage from recordings and other files."""
    artefacts = Artefacts(LocalStore(tmp_path))
    made = count()

    def _make(
        stage: str,
        audio: Mapping[str, Samples] | None = None,
        measures: Mapping[str, Any] | None = None,
        write: Callable[[Path], Mapping[str, Path]] = lambda _: {},
    ) -> Artefact:
        source = str(next(made))  # each is another result, and never found as one that was made before
        with new_directory(artefacts.store, stage) as into:
            files = {
                f"{name}.wav": write_samples(into / f"{name}.wav", samples.astype(np.float32), RATE).path
                for name, samples in (audio or {}).items()
            }
            return artefacts.keep(
                Product({**files, **write(into)}, measures or {}),
                stage=stage,
                track="song-0123456789ab",
                recipe=Recipe(Engine("test")),
                reads=[Read("source", source, {"sha256": source})],
                seconds=0.0,
            )

    return _make


def wanted(**sections: Mapping[str, Any]) -> Callable[[Path], Mapping[str, Path]]:
    """A brief that says this; of the rest, what is built in."""

    def write(into: Path) -> Mapping[str, Path]:
        (into / "brief.json").write_text(json.dumps(sections))
        return {"brief.json": into / "brief.json"}

    return write


def tone(level_dbfs: float, seconds: float = 3.0, hz: float = 997.0) -> Samples:
    """A stereo sine of that peak level."""
    time = np.arange(int(RATE * seconds)) / RATE
    return np.stack([np.sin(2 * np.pi * hz * time)] * 2).astype(np.float32) * np.float32(
        10 ** (level_dbfs / 20)
    )


def test_a_track_of_numbers_has_audio_and_one_with_a_nan_has_not(make: Make) -> None:
    good, broken = tone(-20), tone(-20)
    broken[1, 77] = np.nan
    assert checks.has_audio(make("raw_track", {"track": good})).passed
    assert not checks.has_audio(make("raw_track", {"track": broken})).passed
    assert not checks.has_audio(make("raw_track", {"track": good[:, :0]})).passed


def test_silence_is_not_audible(make: Make) -> None:
    assert checks.is_audible(make("raw_track", {"track": tone(-60)})).passed
    assert not checks.is_audible(make("raw_track", {"track": np.zeros((1, 100))})).passed


def test_stems_must_have_the_length_of_the_track(make: Make) -> None:
    track = make("restored_track", {"track": tone(-20)})
    stems = {name: tone(-32) for name in STEMS}
    assert checks.stems_fit_track(make("stems", stems), track).passed
    stems["bass"] = stems["bass"][:, :-1]
    assert not checks.stems_fit_track(make("stems", stems), track).passed
    assert not checks.stems_fit_track(make("stems"), track).passed


def test_a_restored_track_has_the_length_of_the_track_and_only_numbers(make: Make) -> None:
    track, broken = make("raw_track", {"track": tone(-20)}), tone(-20)
    broken[0, 7] = np.nan
    assert checks.restored_fits_track(make("restored_track", {"track": tone(-26)}), track).passed
    assert not checks.restored_fits_track(make("restored_track", {"track": tone(-26)[:, 1:]}), track).passed
    assert not checks.restored_fits_track(make("restored_track", {"track": broken}), track).passed


@pytest.mark.parametrize(("left_over_db", "passes"), [(-61.0, True), (-59.0, False)])
def test_stems_may_miss_the_track_by_sixty_decibels_and_no_more(
    make: Make, left_over_db: float, passes: bool
) -> None:
    track = tone(-6)
    stems = dict.fromkeys(STEMS, track / 4)
    stems["other"] = stems["other"] + tone(-6 + left_over_db, hz=300.0)
    verdict = checks.stems_sum_to_track(make("stems", stems), make("restored_track", {"track": track}))
    assert verdict.passed is passes
    assert verdict.numbers["null_depth_db"] == pytest.approx(left_over_db, abs=0.1)


def test_a_restored_stem_with_a_nan_is_refused(make: Make) -> None:
    stems = make("stems", {name: tone(-30) for name in STEMS})
    restored = {name: tone(-30) for name in STEMS}
    assert checks.restored_fit_stems(make("restored_stems", restored), stems).passed
    restored["drums"][0, 5] = np.inf
    assert not checks.restored_fit_stems(make("restored_stems", restored), stems).passed


def midi_file(start: float | None) -> Callable[[Path], Mapping[str, Path]]:
    def write(into: Path) -> Mapping[str, Path]:
        import pretty_midi

        song = pretty_midi.PrettyMIDI()
        bass = pretty_midi.Instrument(33)
        if start is not None:
            bass.notes.append(pretty_midi.Note(90, 40, start, start + 0.5))
        song.instruments.append(bass)
        song.write(str(into / "bass.mid"))
        return {"bass.mid": into / "bass.mid"}

    return write


def test_a_note_after_the_end_of_the_track_is_refused(make: Make) -> None:
    track = make("raw_track", {"track": tone(-20, seconds=2.0)})
    assert checks.notes_lie_within_track(make("midi", write=midi_file(1.9)), track).passed
    assert not checks.notes_lie_within_track(make("midi", write=midi_file(2.1)), track).passed


def test_midi_without_any_note_is_told(make: Make) -> None:
    assert checks.has_notes(make("midi", write=midi_file(0.0))).passed
    assert not checks.has_notes(make("midi", write=midi_file(None))).passed


def test_a_mix_over_full_scale_clips_unless_its_stems_are(make: Make) -> None:
    def clips(level_dbfs: float, plain_dbtp: float) -> bool:
        mix = make("mix", {"mix": tone(level_dbfs)}, {"plain_peak_dbtp": plain_dbtp})
        return not checks_of_sound.mix_does_not_clip(mix).passed

    assert not clips(-0.1, -0.1)
    assert clips(0.1, -0.1)
    assert not clips(0.5, 0.5)


def plan(**moves: Any) -> Callable[[Path], Mapping[str, Path]]:
    def write(into: Path) -> Mapping[str, Path]:
        MixPlan(balance="original", rough=0.0, reasons=(), stems={}, **moves).write(into / PLAN)
        return {PLAN: into / PLAN}

    return write


PHASE = {
    "correlation": 0.5,
    "track_correlation": 0.5,
    "fold_down_db": -1.2,
    "track_fold_down_db": -1.2,
    "low_end_correlation": 1.0,
    "low_end_db": -6.0,
}


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        ({}, True),
        ({"correlation": 0.41}, True),
        ({"correlation": 0.39}, False),
        ({"fold_down_db": -2.1}, True),
        ({"fold_down_db": -2.3}, False),
        ({"low_end_correlation": 0.985}, True),
        ({"low_end_correlation": 0.97}, False),
        ({"low_end_correlation": 0.97, "low_end_db": -31.0}, True),
    ],
)
@pytest.mark.parametrize("stage", ["mix", "master"])
def test_what_is_lost_in_mono_or_turned_in_the_low_end_is_told(
    make: Make, stage: str, found: dict[str, float], passes: bool
) -> None:
    judge = {"mix": checks_of_sound.mix_stays_in_phase, "master": checks_of_sound.master_stays_in_phase}[
        stage
    ]
    still, moved = make("mix_plan", write=plan()), make("mix_plan", write=plan(tone_db=(1.0,) * 10))
    made = make(stage, measures=PHASE | found)
    assert judge(made, still).passed is passes
    assert judge(made, moved).passed is (passes or "low_end_correlation" in found)


def test_a_master_that_went_towards_a_reference_may_have_another_low_end(make: Make) -> None:
    towards = make("master", measures=PHASE | {"low_end_correlation": 0.9, "reference_moved_db": 2.0})
    assert checks_of_sound.master_stays_in_phase(towards, make("mix_plan", write=plan())).passed


def coloured(high_db: float) -> Samples:
    return tone(-20) + tone(-20 + high_db, hz=4000.0)


@pytest.mark.parametrize(("high_db", "passes"), [(0.0, True), (2.0, True), (5.0, False)])
def test_a_mix_of_another_tone_than_the_track_is_told_where_nothing_was_to_be_moved(
    make: Make, high_db: float, passes: bool
) -> None:
    track, mix = make("restored_track", {"track": coloured(0.0)}), make("mix", {"mix": coloured(high_db)})
    still, moved = make("mix_plan", write=plan()), make("mix_plan", write=plan(tone_db=(1.0,) * 10))
    assert checks_of_sound.mix_keeps_its_balance(mix, still, track).passed is passes
    assert checks_of_sound.mix_keeps_its_balance(mix, moved, track).passed


@pytest.mark.parametrize(("high_db", "passes"), [(0.0, True), (2.0, True), (5.0, False)])
def test_a_master_of_another_tone_than_the_mix_is_told(make: Make, high_db: float, passes: bool) -> None:
    louder = coloured(high_db) * np.float32(2)
    assert (
        checks_of_sound.master_keeps_its_balance(
            make("master", {"master": louder}), make("mix", {"mix": coloured(0.0)})
        ).passed
        is passes
    )


def test_what_was_moved_towards_a_reference_is_no_drift(make: Make) -> None:
    mix = make("mix", {"mix": coloured(0.0)})
    for moved_db, passes in ((10.0, True), (3.0, False)):
        moved = make("master", {"master": coloured(8.0)}, {"reference_moved_db": moved_db})
        assert checks_of_sound.master_keeps_its_balance(moved, mix).passed is passes


def test_silence_has_the_tone_of_silence(make: Make) -> None:
    silent = np.zeros_like(tone(-20))
    still = make("mix_plan", write=plan())
    assert checks_of_sound.mix_keeps_its_balance(
        make("mix", {"mix": silent}), still, make("restored_track", {"track": silent})
    ).passed


def masters(level_dbfs: float, mp3_level_dbfs: float | None = None) -> Callable[[Path], Mapping[str, Path]]:
    def write(into: Path) -> Mapping[str, Path]:
        master = write_samples(into / "master.wav", tone(level_dbfs), RATE)
        compressed = write_samples(into / "louder", tone(mp3_level_dbfs or level_dbfs), RATE)
        encode_flac(master, into / "master.flac")
        encode_lossy(compressed, into / "master.mp3", "mp3")
        return {f"master.{kind}": into / f"master.{kind}" for kind in ("wav", "flac", "mp3")}

    return write


def test_a_master_over_the_ceiling_is_refused_and_so_is_its_mp3(make: Make) -> None:
    brief, stricter = (
        make("brief", write=wanted(mastering={"ceiling_dbtp": ceiling})) for ceiling in (-1.0, -2.0)
    )
    good = make("master", write=masters(-1.5))
    assert checks_of_sound.master_is_under_ceiling(good, brief).passed
    assert not checks_of_sound.master_is_under_ceiling(good, stricter).passed
    assert not checks_of_sound.master_is_under_ceiling(make("master", write=masters(-0.8)), brief).passed
    louder_mp3 = make("master", write=masters(-1.5, mp3_level_dbfs=-0.5))
    assert not checks_of_sound.master_is_under_ceiling(louder_mp3, brief).passed


def test_without_a_word_in_the_brief_the_ceiling_is_minus_1_dbtp(make: Make) -> None:
    brief = make("brief", write=wanted())
    assert checks_of_sound.master_is_under_ceiling(make("master", write=masters(-1.1)), brief).passed
    assert not checks_of_sound.master_is_under_ceiling(make("master", write=masters(-0.9)), brief).passed


@pytest.mark.parametrize("target", [-14.0, -23.0])
@pytest.mark.parametrize(("off_lu", "passes"), [(-0.05, True), (0.2, False), (-0.2, False)])
def test_a_master_off_the_loudness_of_its_brief_is_told(
    make: Make, target: float, off_lu: float, passes: bool
) -> None:
    # ITU-R BS.1770: a stereo 997 Hz sine of −x dBFS in both channels has a loudness of −x LUFS.
    at_target = checks_of_sound.master_is_at_target_loudness
    reached = {"bounded": False}
    brief = make("brief", write=wanted(mastering={} if target == -14 else {"target_lufs": target}))
    assert at_target(make("master", None, reached, masters(target + off_lu)), brief).passed is passes
    mp3_off = make("master", None, reached, masters(target, mp3_level_dbfs=target + off_lu))
    assert at_target(mp3_off, brief).passed is passes


def test_a_master_may_be_softer_where_no_more_gain_was_allowed_but_not_louder(make: Make) -> None:
    brief, bounded = make("brief", write=wanted()), {"bounded": True}
    assert checks_of_sound.master_is_at_target_loudness(
        make("master", None, bounded, masters(-17)), brief
    ).passed
    assert not checks_of_sound.master_is_at_target_loudness(
        make("master", None, bounded, masters(-13)), brief
    ).passed


def test_a_regenerated_stem_at_another_level_is_told_and_a_silent_one_is_not(make: Make) -> None:
    stems = make("stems", {"bass": tone(-20), "other": tone(-20)})
    silent = np.zeros_like(tone(-20))
    regenerated = make("regenerated_stems", {"bass": tone(-20.3), "other": silent})
    assert checks.regenerated_as_loud_as_stems(regenerated, stems).passed
    louder = make("regenerated_stems", {"bass": tone(-19.3), "other": silent})
    assert not checks.regenerated_as_loud_as_stems(louder, stems).passed


def scores(dimensions: int, score: float) -> Callable[[Path], Mapping[str, Path]]:
    def write(into: Path) -> Mapping[str, Path]:
        import pandas as pd

        rows = [{"candidate": "master", "dimension": str(n), "score": score} for n in range(dimensions)]
        pd.DataFrame(rows, columns=["candidate", "dimension", "score"]).to_parquet(into / "qc_scores.parquet")
        return {"qc_scores.parquet": into / "qc_scores.parquet"}

    return write


def test_scores_are_sixteen_numbers_from_0_to_100(make: Make) -> None:
    assert checks.scores_are_scores(make("qc_scores", write=scores(16, 99.0))).passed
    assert not checks.scores_are_scores(make("qc_scores", write=scores(15, 99.0))).passed
    assert not checks.scores_are_scores(make("qc_scores", write=scores(16, 100.1))).passed
    assert not checks.scores_are_scores(make("qc_scores", write=scores(0, 0.0))).passed


@pytest.mark.parametrize("accepted", [True, False])
def test_quality_is_accepted_where_quality_control_says_so(make: Make, accepted: bool) -> None:
    measures = {"master_total": 91.0, "master_accepted": accepted}
    assert checks.quality_is_accepted(make("qc_scores", measures=measures)).passed is accepted


def test_a_stem_that_is_more_of_the_others_than_of_itself_is_told(make: Make) -> None:
    measures = {"vocals_level_dbfs": -20.0, "vocals_predicted_quality_db": 0.1}
    assert checks.stems_are_good(make("stems", measures=measures)).passed
    poor = checks.stems_are_good(make("stems", measures=measures | {"vocals_predicted_quality_db": -0.1}))
    assert not poor.passed
    assert poor.numbers == {"vocals_quality_db": -0.1}


def test_limiting_of_more_than_6_db_is_told(make: Make) -> None:
    assert checks_of_sound.limiting_is_gentle(make("master", measures={"limiting_db": 6.0})).passed
    assert not checks_of_sound.limiting_is_gentle(make("master", measures={"limiting_db": 6.2})).passed
    for_another = {"limiting_db": 1.0, "9lufs_limiting_db": 6.2}
    assert not checks_of_sound.limiting_is_gentle(make("master", measures=for_another)).passed


def test_limiting_that_the_brief_allows_is_not_told(make: Make) -> None:
    allowed = {"limiting_allowed_db": 12.0}
    assert checks_of_sound.limiting_is_gentle(make("master", measures=allowed | {"limiting_db": 11.9})).passed
    assert not checks_of_sound.limiting_is_gentle(
        make("master", measures=allowed | {"limiting_db": 12.2})
    ).passed
