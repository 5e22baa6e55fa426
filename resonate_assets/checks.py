"""Asset checks, over pure predicates. A blocking check that fails stops what is made from the asset."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import signature

import dagster as dg
import numpy as np

from resonate_assets.acceptance import poor_stems, scores_enough
from resonate_assets.checks_of_sound import (
    limiting_is_gentle,
    master_is_at_target_loudness,
    master_is_under_ceiling,
    master_keeps_its_balance,
    master_stays_in_phase,
    mix_does_not_clip,
    mix_keeps_its_balance,
    mix_stays_in_phase,
)
from resonate_assets.markdown import lines
from resonate_assets.partitions import tracks
from resonate_assets.verdict import Verdict
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.summing import null_depth
from resonate_resources.signal.true_peak import measure_sample_peak
from resonate_resources.storage.artefacts import Artefact, plain
from resonate_resources.storage.catalogue import stale_tracks
from resonate_resources.storage.current import stages_made
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.tracks import record_checks

NULL_DEPTH_DB = -60.0
"""How far below the track the difference between it and the sum of its stems must be."""
AUDIBLE_DBFS = -80.0
"""A track whose highest sample is below this holds nothing that could be worked on."""


Judge = Callable[..., Verdict]
"""A predicate over artefacts; its parameters are named as the stages that they come from."""


def has_audio(raw_track: Artefact) -> Verdict:
    """There are samples, and each of them is a number."""
    recording = raw_track.recording(TRACK)
    return Verdict(recording.frames > 0 and _finite(recording), {"frames": recording.frames})


def is_audible(raw_track: Artefact) -> Verdict:
    """The track is more than silence."""
    peak = measure_sample_peak(raw_track.recording(TRACK))
    return Verdict(peak > AUDIBLE_DBFS, {"sample_peak_dbfs": peak})


def stems_fit_track(stems: Artefact, restored_track: Artefact) -> Verdict:
    """Every stem has the rate, channels and exact length of the track."""
    return _fit(stems, [restored_track.recording(TRACK)] * len(stems.stems()))


def stems_sum_to_track(stems: Artefact, restored_track: Artefact) -> Verdict:
    """The stems sum to the track: what is left over is at least 60 dB below it."""
    depth = null_depth(stems.stems().values(), restored_track.recording(TRACK))
    return Verdict(depth <= NULL_DEPTH_DB, {"null_depth_db": depth})


def restored_fits_track(restored_track: Artefact, raw_track: Artefact) -> Verdict:
    """The restored track has the rate, channels and exact length of the track, and only finite samples."""
    fit = _fit(restored_track, [raw_track.recording(TRACK)])
    return Verdict(fit.passed and _finite(restored_track.recording(TRACK)), fit.numbers)


def stems_are_good(stems: Artefact) -> Verdict:
    """No stem is more of the others than of itself: its quality, measured or predicted, is at least 0 dB. Stems
    that are 14 dB below the track are not judged, as they may hold nothing but leakage."""
    poor = poor_stems(stems.manifest.measures)
    return Verdict(not poor, {f"{stem}_quality_db": quality for stem, quality in poor.items()})


def restored_fit_stems(restored_stems: Artefact, stems: Artefact) -> Verdict:
    """Every restored stem has the rate, channels and exact length of its stem, and only finite samples."""
    fit = _fit(restored_stems, list(stems.stems().values()))
    return Verdict(fit.passed and all(map(_finite, restored_stems.stems().values())), fit.numbers)


def notes_lie_within_track(midi: Artefact, raw_track: Artefact) -> Verdict:
    """No note begins before the track does or after it has ended."""
    duration = raw_track.recording(TRACK).duration
    starts = [start for notes in _note_starts(midi).values() for start in notes]
    return Verdict(
        all(0 <= start <= duration for start in starts), {"notes": len(starts), "duration_s": duration}
    )


def has_notes(midi: Artefact) -> Verdict:
    """At least one stem has notes."""
    counts = {f"{stem}_notes": len(notes) for stem, notes in _note_starts(midi).items()}
    return Verdict(any(counts.values()), {**counts})


def tempo_and_key_are_known(profile: Artefact) -> Verdict:
    """The track has a tempo and a key."""
    known = {
        name: str(profile.read_json("profile.json").get(name) or "unknown") for name in ("tempo_bpm", "key")
    }
    return Verdict("unknown" not in known.values(), {**known})


def regenerated_fit_stems(regenerated_stems: Artefact, stems: Artefact) -> Verdict:
    """Every regenerated stem has the rate, channels and exact length of its stem."""
    return _fit(regenerated_stems, list(stems.stems().values()))


def regenerated_as_loud_as_stems(regenerated_stems: Artefact, stems: Artefact) -> Verdict:
    """A regenerated stem is within 0.5 LU of its stem, or silent because there were no notes."""
    played, original = (_measured(_integrated, artefact.stems()) for artefact in (regenerated_stems, stems))
    off = {
        f"{name}_off_lu": loudness - original[name]
        for name, loudness in played.items()
        if math.isfinite(loudness)
    }
    return Verdict(all(abs(difference) <= 0.5 for difference in off.values()), {**off})


def scores_are_scores(qc_scores: Artefact) -> Verdict:
    """Sixteen scores for each candidate, all from 0 to 100."""
    import pandas as pd

    with qc_scores.path("qc_scores.parquet").open("rb") as file:  # Arrow takes no path that is not UTF-8
        frame = pd.read_parquet(file)
    counts = frame.groupby("candidate")["dimension"].nunique()
    passed = (
        bool(frame["score"].between(0, 100).all())
        and bool((counts == len(DIMENSIONS)).all())
        and len(counts) > 0
    )
    return Verdict(passed, {"rows": len(frame)})


def quality_is_accepted(qc_scores: Artefact) -> Verdict:
    """The master is accepted by quality control: its total, and every dimension, are high enough."""
    measures = qc_scores.manifest.measures
    return Verdict(scores_enough(measures), {"master_total": float(measures["master_total"])})


def exported_files_are_there(exports: Artefact) -> Verdict:
    """Every exported file is in its folder."""
    told = exports.read_json("exports.json")
    folder, names = told["folder"], told["files"]
    missing = [name for name in names if exports.store.size(f"exports/{folder}/{name}") is None]
    return Verdict(not missing, {"files": len(names), "missing": ", ".join(missing) or "none"})


def _integrated(recording: Recording) -> float:
    return measure_loudness(recording).integrated_lufs


def _measured(measure: Callable[[Recording], float], recordings: Mapping[str, Recording]) -> dict[str, float]:
    """Measure several recordings, on two cores."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(recordings, pool.map(measure, recordings.values()), strict=True))


def _fit(made: Artefact, originals: list[Recording]) -> Verdict:
    shapes = [(r.sample_rate, r.channels, r.frames) for r in made.stems().values()]
    passed = shapes == [(r.sample_rate, r.channels, r.frames) for r in originals] and bool(shapes)
    return Verdict(passed, {"stems": len(shapes), "frames": shapes[0][2] if shapes else 0})


def _finite(recording: Recording) -> bool:
    return all(bool(np.isfinite(block).all()) for block in recording.blocks())


def _note_starts(midi: Artefact) -> dict[str, list[float]]:
    return {
        name.removesuffix(".mid"): [note.onset_s for note in read_notes(midi.path(name))]
        for name in midi.note_files
    }


def _checks(*, blocking: Sequence[Judge] = (), warning: Sequence[Judge] = ()) -> dg.AssetChecksDefinition:
    """The asset checks of a stage, from predicates over its artefact and those of other stages.

    A predicate's parameters name the stages it looks at, its own first. All checks of a stage are one step, since
    a step takes Dagster longer than most of the checks take.
    """
    parameters = {judge: list(signature(judge).parameters) for judge in (*blocking, *warning)}
    (stage,) = {names[0] for names in parameters.values()}
    specs = [
        dg.AssetCheckSpec(
            judge.__name__,
            asset=stage,
            description=judge.__doc__,
            blocking=judge in blocking,
            partitions_def=tracks,  # without it the check is global: one bad track would block all
        )
        for judge in parameters
    ]

    @dg.multi_asset_check(name=f"check_{stage}", specs=specs)
    def check(
        context: dg.AssetCheckExecutionContext, storage: StorageResource
    ) -> Iterator[dg.AssetCheckResult]:
        track = context.op_execution_context.partition_key
        failed = []
        for judge, names in parameters.items():
            artefacts = {name: storage.artefacts.current(name, track) for name in names}
            missing = [name for name, artefact in artefacts.items() if artefact is None]
            if missing:
                raise dg.Failure(f"{judge.__name__}: there is no artefact {missing[0]} of {track} in storage")
            verdict = judge(**artefacts)
            if not verdict.passed:
                failed.append(judge.__name__)
            yield _result(stage, judge.__name__, verdict, judge in blocking)
        record_checks(storage.database, track, stage, failed)

    return check


def _result(stage: str, name: str, verdict: Verdict, blocking: bool) -> dg.AssetCheckResult:
    numbers = {name: plain(value) for name, value in verdict.numbers.items()}
    severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=stage, check_name=name, passed=verdict.passed, severity=severity, metadata=numbers
    )


def library_check(stages: Sequence[dg.AssetsDefinition]) -> dg.AssetChecksDefinition:
    """The standing check over all tracks, which knows the code versions of the stages."""
    code_versions = {stage.key.path[-1]: stage.code_versions_by_key[stage.key] or "" for stage in stages}

    @dg.asset_check(asset="library", blocking=False)
    def nothing_failed_or_stale(
        context: dg.AssetCheckExecutionContext, storage: StorageResource
    ) -> dg.AssetCheckResult:
        """No track failed on its way, or was made from something that has changed since. Rejected files are no
        tracks: see the check of `rejections`."""
        rejected = {rejection.track for rejection in storage.sources.rejections()}
        behind = {each.track: each.stages for each in stale_tracks(storage.database, code_versions)}
        begun = stages_made(storage.database)
        for track in context.instance.get_dynamic_partitions(str(tracks.name)):
            if track not in begun:
                behind[track] = list(code_versions)
        stale = {track: stages for track, stages in sorted(behind.items()) if track not in rejected}
        return dg.AssetCheckResult(
            passed=not stale,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "unfinished_or_stale": len(stale),
                "unfinished_or_stale_tracks": dg.MetadataValue.md(
                    lines([f"{track}: {', '.join(stages)}" for track, stages in stale.items()])
                ),
            },
        )

    return nothing_failed_or_stale


CHECKS = [
    _checks(blocking=[has_audio], warning=[is_audible]),
    _checks(blocking=[restored_fits_track]),
    _checks(blocking=[stems_fit_track, stems_sum_to_track], warning=[stems_are_good]),
    _checks(blocking=[restored_fit_stems]),
    _checks(blocking=[notes_lie_within_track], warning=[has_notes]),
    _checks(warning=[tempo_and_key_are_known]),
    _checks(blocking=[mix_does_not_clip], warning=[mix_keeps_its_balance, mix_stays_in_phase]),
    _checks(
        blocking=[master_is_under_ceiling],
        warning=[
            master_is_at_target_loudness,
            limiting_is_gentle,
            master_keeps_its_balance,
            master_stays_in_phase,
        ],
    ),
    _checks(blocking=[regenerated_fit_stems], warning=[regenerated_as_loud_as_stems]),
    _checks(blocking=[scores_are_scores], warning=[quality_is_accepted]),
    _checks(blocking=[exported_files_are_there]),
]
