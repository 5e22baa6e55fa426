"""Mastering as a resource of the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.chain import GAIN_BOUND_DB, Mastered, master
from resonate_resources.mastering.levelling import TOLERANCE_LU, Target
from resonate_resources.mastering.report import report
from resonate_resources.recipe import Engine, Product, Recipe
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
        """Write master.wav and those of master.flac and master.mp3 that are asked for, of the mix's channels (MP3:
        at most two), and a report of all three. original: the track.

        rough: 0 of finished music, 1 of a recording that was never mixed.

        Raises AudioError.
        """
        mastered = master(mix, into, brief, rough, tags, progress)
        progress(0.9)
        wav = mastered.files["master.wav"]
        measures: dict[str, float | int | str | bool] = {
            "loudness_lufs": wav.loudness.integrated_lufs,
            "true_peak_dbtp": wav.true_peak_dbtp,
            "loudness_range_lu": wav.loudness.range_lu,
            "max_short_term_lufs": wav.loudness.max_short_term_lufs,
            "gain_db": mastered.gain_db,
            "limiting_db": mastered.limiting_db,
            "limiting_allowed_db": mastered.allowed_db,
            "bounded": mastered.bounded,
        }
        for form in ("flac", "mp3"):
            if (file := mastered.files.get(f"master.{form}")) is not None:
                measures[f"{form}_loudness_lufs"] = file.loudness.integrated_lufs
                measures[f"{form}_true_peak_dbtp"] = file.true_peak_dbtp
        if (mp3 := mastered.files.get("master.mp3")) is not None:
            measures["mp3_limited_dbtp"] = mp3.limited_dbtp
        files = {name: file.path for name, file in mastered.files.items()}
        compared = {"original": original, "mix": mix, "master": Recording.open(wav.path)}
        reports = report(compared, into)
        return Product(files, measures, tuple(_notes(mastered, brief)), reports)


def _notes(mastered: Mastered, brief: MasteringBrief) -> Iterator[str]:
    limiter_dbtp = Target(brief.target_lufs, brief.ceiling_dbtp).limiter_dbtp
    loudness = mastered.files["master.wav"].loudness.integrated_lufs
    if not math.isfinite(loudness):
        yield (
            "has no integrated loudness (silence, nothing over −70 LUFS, or shorter than 400 ms): "
            f"at most brought to {limiter_dbtp:g} dBTP"
        )
    elif mastered.bounded and abs(loudness - brief.target_lufs) > TOLERANCE_LU:
        yield (
            f"is at {loudness:.1f} LUFS, not {brief.target_lufs:g}: more would take over "
            f"{GAIN_BOUND_DB:g} dB of gain, or take over {mastered.allowed_db:.1f} dB off its peaks "
            "(mastering.limiting_db in the brief)"
        )
    if mastered.centred:
        yield "a constant offset was taken out: it cost headroom"
    mp3 = mastered.files.get("master.mp3")
    if mp3 is not None and mp3.limited_dbtp < limiter_dbtp:
        yield f"the MP3 is limited to {mp3.limited_dbtp:.1f} dBTP, to leave room for the peaks that encoding adds"
