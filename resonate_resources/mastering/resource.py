"""Mastering as a resource of the graph."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import soundfile as sf

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.chain import GAIN_BOUND_DB, Mastered, master
from resonate_resources.mastering.levelling import TOLERANCE_LU, Target
from resonate_resources.mastering.reference import THIRDS_HZ, Floats, Moves, by_octave, content_of, decoded
from resonate_resources.mastering.report import report
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.phase import phase_beside

CODE_VERSION = "6"
"""Raised when the algorithm changes in a way that no constant shows."""

MOVES = "reference.json"
_TOLD_DB = 0.1


class MasteringResource(dg.ConfigurableResource[None]):
    """Brings a mix to a loudness under a ceiling of true peaks, and delivers it in several formats."""

    def recipe(self, brief: MasteringBrief) -> Recipe:
        """With the reference by its content. Raises AudioError where that can't be read."""
        reference = _wanted_reference(brief)
        by_content: dict[str, Json] = {"reference": None, "reference_amount": 0.0}
        if reference:
            # A user's file, which libsndfile may decode.
            by_content |= {"reference": content_of(reference), "libsndfile": sf.__libsndfile_version__}
            by_content["reference_amount"] = brief.reference_amount
        asked = brief.asked() | by_content
        return Recipe.of(__name__, Engine("look-ahead true-peak limiter"), asked, CODE_VERSION)

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
        wanted = _wanted_reference(brief)
        with TemporaryDirectory(dir=into) as scratch:
            reference = decoded(wanted, Path(scratch)) if wanted else None
            return self._master(mix, original, reference, brief, rough, tags, into, progress)

    def _master(
        self,
        mix: Recording,
        original: Recording,
        reference: Recording | None,
        brief: MasteringBrief,
        rough: float,
        tags: Tags,
        into: Path,
        progress: Progress,
    ) -> Product:
        mastered = master(mix, into, brief, rough, tags, progress, reference)
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
            **asdict(phase_beside(Recording.open(wav.path), original)),
        }
        for form in ("flac", "mp3"):
            if (file := mastered.files.get(f"master.{form}")) is not None:
                measures[f"{form}_loudness_lufs"] = file.loudness.integrated_lufs
                measures[f"{form}_true_peak_dbtp"] = file.true_peak_dbtp
        if (mp3 := mastered.files.get("master.mp3")) is not None:
            measures["mp3_limited_dbtp"] = mp3.limited_dbtp
        files = {name: file.path for name, file in mastered.files.items()}
        compared = {"original": original, "mix": mix, "master": Recording.open(wav.path)}
        if reference is not None:
            compared["reference"] = reference
        reports = report(compared, into)
        if mastered.moves is not None:
            measures["reference_moved_db"] = mastered.moves.span_db
            reports[MOVES] = _written(mastered.moves, brief, into / MOVES)
        return Product(files, measures, tuple(_notes(mastered, brief)), reports)


def _wanted_reference(brief: MasteringBrief) -> str:
    return brief.reference if brief.reference_amount else ""


def _written(moves: Moves, brief: MasteringBrief, path: Path) -> Path:
    told = {
        "reference": Path(brief.reference).name,
        "amount": brief.reference_amount,
        "octaves_hz": OCTAVES_HZ,
        "octaves_moved_db": _rounded(by_octave(moves.tone_db)),
        "thirds_hz": _rounded(THIRDS_HZ),
        "thirds_off_db": _rounded(moves.wanted_db),
        "thirds_moved_db": _rounded(moves.tone_db),
        "side_moved_db": _rounded(moves.width_db),
        "reasons": moves.reasons,
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _rounded(values: Floats) -> list[float]:
    return [round(value, 2) for value in values.tolist()]


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
    if mastered.moves is not None:
        yield from _moves_told(mastered.moves, Path(brief.reference).name)
    mp3 = mastered.files.get("master.mp3")
    if mp3 is not None and mp3.limited_dbtp < limiter_dbtp:
        yield f"the MP3 is limited to {mp3.limited_dbtp:.1f} dBTP, to leave room for the peaks that encoding adds"


def _moves_told(moves: Moves, name: str) -> Iterator[str]:
    tone, width = (_octaves_told(values) for values in (moves.tone_db, moves.width_db))
    yield f"moved towards {printable_name(name)}, by octave in dB: {tone or 'nothing'}"
    if width:
        yield f"side against mid, by octave in dB: {width}"
    yield from moves.reasons


def _octaves_told(values: Floats) -> str:
    """Those that are moved by what may be heard, as in `63 Hz +2.1, 8000 Hz −1.0`."""
    moved = zip(OCTAVES_HZ, by_octave(values), strict=True)
    return ", ".join(
        f"{centre:g} Hz {by:+.1f}".replace("-", "−") for centre, by in moved if abs(by) >= _TOLD_DB
    )
