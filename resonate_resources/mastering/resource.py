"""Mastering as a resource of the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.chain import GAIN_BOUND_DB, Master, master
from resonate_resources.mastering.facts import facts_of
from resonate_resources.mastering.levelling import TOLERANCE_LU, Target
from resonate_resources.mastering.report import report
from resonate_resources.mastering.targets import measure_name
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.lossy import LOSSY, channels_in
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.recordings.tags import Tags

CODE_VERSION = "5"
"""Raised when the algorithm changes in a way that no constant shows."""


class MasteringResource(dg.ConfigurableResource[None]):
    """Brings a mix to a loudness under a ceiling of true peaks, and delivers it in several formats."""

    def recipe(self, brief: MasteringBrief) -> Recipe:
        return Recipe.of(__name__, Engine("look-ahead true-peak limiter"), brief.asked(), CODE_VERSION)

    def master(
        self,
        mix: Recording,
        original: Recording,
        brief: MasteringBrief,
        rough: float,
        tags: Tags,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write master.wav and what else is asked for, of the mix's channels (MP3: at most two), for each target of
        the brief, and a report of original (the track), mix and master.

        Measures of a further target begin with its label, those of a format with its ending.
        rough: 0 of finished music, 1 of a recording that was never mixed.

        Raises AudioError.
        """
        mastered = master(mix, into, brief, rough, tags, progress)
        progress(0.9)
        files: dict[str, Path] = {}
        measures: dict[str, float | int | str | bool] = {}
        notes: list[str] = []
        for label, each in mastered.masters.items():
            files |= {name: file.path for name, file in each.files.items()}
            measures |= _measures(label, each)
            notes += [f"for {label}: {note}" if label else note for note in _notes(each, brief, mix.channels)]
        if mastered.centred:
            notes.append("a constant offset was taken out: it cost headroom")
        facts = mastered.masters[""].files["master.wav"].facts
        assert facts is not None
        compared = {"original": facts_of(original), "mix": mastered.mix or facts_of(mix), "master": facts}
        return Product(files, measures, tuple(notes), report(compared, into))


def _measures(label: str, master: Master) -> dict[str, float | int | str | bool]:
    first, *_ = master.files.values()
    shared: dict[str, float | int | str | bool] = {
        "loudness_lufs": first.levels.loudness.integrated_lufs,
        "true_peak_dbtp": first.levels.true_peak_dbtp,
        "loudness_range_lu": first.levels.loudness.range_lu,
        "max_short_term_lufs": first.levels.loudness.max_short_term_lufs,
        "gain_db": master.gain_db,
        "limiting_db": master.limiting_db,
        "limiting_allowed_db": master.allowed_db,
        "bounded": master.bounded,
    }
    measures = {measure_name(label, "", name): value for name, value in shared.items()}
    for file in master.files.values():
        form = file.path.suffix.lstrip(".")
        if form == "wav":
            continue
        own: dict[str, float | int | str | bool] = {
            "loudness_lufs": file.levels.loudness.integrated_lufs,
            "true_peak_dbtp": file.levels.true_peak_dbtp,
        }
        if form in LOSSY:
            own |= {"limited_dbtp": file.limited_dbtp, "bounded": not file.as_loud}
        measures |= {measure_name(label, form, name): value for name, value in own.items()}
    return measures


def _notes(master: Master, brief: MasteringBrief, channels: int) -> Iterator[str]:
    limiter_dbtp = Target(master.target_lufs, brief.ceiling_dbtp).limiter_dbtp
    first, *_ = master.files.values()
    loudness = first.levels.loudness.integrated_lufs
    if not math.isfinite(loudness):
        yield (
            "has no integrated loudness (silence, nothing over −70 LUFS, or shorter than 400 ms): "
            f"at most brought to {limiter_dbtp:g} dBTP"
        )
    elif master.bounded and abs(loudness - master.target_lufs) > TOLERANCE_LU:
        why = (
            "more would bring less than half of its limiting in loudness (mastering.limiting_db in the brief "
            "allows it)"
            if master.wasteful
            else f"more would take over {GAIN_BOUND_DB:g} dB of gain, or take over {master.allowed_db:.1f} dB off "
            "its peaks (mastering.limiting_db in the brief)"
        )
        yield f"is at {loudness:.1f} LUFS, not {master.target_lufs:g}: {why}"
    for form in LOSSY:
        file = next((file for file in master.files.values() if file.path.suffix == f".{form}"), None)
        if file is None:
            continue
        called = LOSSY[form].called
        if channels_in(form, channels) < channels:
            yield f"the {called} has {channels} channels mixed down to stereo"
        elif math.isfinite(loudness) and not file.as_loud and first.as_loud:
            yield f"the {called} is at {file.levels.loudness.integrated_lufs:.1f} LUFS: its peaks allow no more"
        if file.limited_dbtp < limiter_dbtp:
            yield (
                f"the {called} is limited to {file.limited_dbtp:.1f} dBTP, to leave room for the peaks that "
                "encoding adds"
            )
