"""What is told of results in sentences: true of what was measured, and good English."""

from __future__ import annotations

from dataclasses import replace

from resonate_resources.storage.manifest import Manifest
from resonate_studio.api.opened import Opened
from resonate_studio.api.wording import notes_of, warnings_of


def of(opened: Opened, track: str, stage: str, **measures: float | str | bool) -> list[str]:
    artefact = opened.storage.artefacts.current(stage, track)
    assert artefact is not None
    manifest: Manifest = replace(artefact.manifest, measures=measures, notes=())
    return warnings_of(manifest)


def test_a_master_of_silence_is_not_told_as_held_back_by_its_peaks(opened: Opened, track: str) -> None:
    (told,) = of(opened, track, "master", loudness_lufs="-inf", bounded=True)
    assert told == "The master is too short or too silent to be judged: it has no integrated loudness."
    (told,) = of(opened, track, "master", loudness_lufs=-17.0, bounded=True)
    assert "peaks would be crushed" in told


def test_each_poor_stem_is_told_in_its_number(opened: Opened, track: str) -> None:
    for stem, begins in (
        ("vocals", "The vocals are poor: "),
        ("bass", "The bass is poor: "),
        ("piano", "The piano is poor: "),
        ("other", "The stem with all other instruments is poor: "),
    ):
        measures = {f"{stem}_level_dbfs": -20.0, f"{stem}_predicted_quality_db": -3.0}
        (told,) = of(opened, track, "stems", **measures)
        assert told.startswith(begins)


def test_a_restoration_of_which_no_step_was_asked_is_not_told_as_one_that_found_nothing(
    opened: Opened, track: str
) -> None:
    restored = opened.storage.artefacts.current("restored_stems", track)
    assert restored is not None
    for steps, told in (
        ([], "no step asked for"),
        (None, "nothing to mend"),
        (["polish"], "nothing to mend"),
    ):
        manifest = replace(
            restored.manifest, measures={"steps_kept": 0}, notes=(), recipe={"settings": {"steps": steps}}
        )
        assert notes_of(manifest) == [f"Left as it was: {told}."]


def test_music_is_told_to_pump_only_where_that_is_more_likely_than_not(opened: Opened, track: str) -> None:
    analysis = opened.storage.artefacts.current("analysis", track)
    assert analysis is not None
    known = {"bars": 8, "form": "AB", "pumping_db": 5.0}
    for confidence, words in ((0.5, ", pumps by 5.0 dB."), (0.49, "."), (None, ".")):
        measures = known if confidence is None else known | {"pumping_confidence": confidence}
        manifest = replace(analysis.manifest, measures=measures, notes=())
        assert notes_of(manifest) == [f"8 bars, form AB{words}"]


def test_candidates_of_quality_control_are_told_by_what_they_are_and_files_by_their_names(
    opened: Opened, track: str
) -> None:
    scores = opened.storage.artefacts.current("qc_scores", track)
    assert scores is not None
    notes = ("leave_one_out: not accepted: 80 of 100", "regenerated: matched: 95 of 100", "rebuilt.wav peaks")
    *_, left_out, rebuilt, file = notes_of(replace(scores.manifest, measures={}, notes=notes))
    assert left_out == "Rebuilt, no note by its own recording: not accepted: 80 of 100."
    assert (rebuilt, file) == ("Rebuilt track: matched: 95 of 100.", "rebuilt.wav peaks.")
