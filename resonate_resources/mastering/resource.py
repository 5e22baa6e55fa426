"""Mastering as a resource of the graph."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_resources.mastering.brief import MasteringBrief
from resonate_resources.mastering.chain import GAIN_BOUND_DB, Master, Mastered, master
from resonate_resources.mastering.facts import facts_of, quality_by
from resonate_resources.mastering.levelling import TOLERANCE_LU, Target
from resonate_resources.mastering.reference import THIRDS_HZ, Floats, Moves, by_octave
from resonate_resources.mastering.report import report
from resonate_resources.mastering.shaping import DENSITY
from resonate_resources.mastering.targets import measure_name
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.lossy import LOSSY, channels_in
from resonate_resources.recordings.named_file import NamedFile
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.octaves import OCTAVES_HZ, octaves_told
from resonate_resources.signal.phase import phase_beside

CODE_VERSION = "13"
"""Raised when the algorithm changes in a way that no constant shows."""

MOVES = "reference.json"
_TOLD_DB, _HIGHER_DB = 0.1, 1.0


class MasteringResource(dg.ConfigurableResource[None]):
    """Brings a mix to a loudness under a ceiling of true peaks, and delivers it in several formats."""

    def recipe(self, brief: MasteringBrief) -> Recipe:
        """With the reference by its content. Raises AudioError where that can't be read."""
        reference = _reference(brief)
        asked = brief.asked() | {"reference": None, "reference_amount": 0.0}
        if reference is not None:
            asked |= reference.ingredients() | {"reference_amount": brief.reference_amount}
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
        moved: Sequence[str] = (),
    ) -> Product:
        """Write master.wav and what else is asked for, of the mix's channels (MP3: at most two), for each target of
        the brief, and a report of original (the track), mix and master. moved: what the mix's plan says of itself.

        Measures of a further target begin with its label, those of a format with its ending.
        rough: 0 of finished music, 1 of a recording that was never mixed.

        Raises AudioError.
        """
        named = _reference(brief)
        with TemporaryDirectory(dir=into) as scratch:
            reference = None if named is None else named.decoded(Path(scratch))
            return self._master(mix, original, reference, brief, rough, tags, into, progress, moved)

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
        moved: Sequence[str],
    ) -> Product:
        mastered = master(mix, into, brief, rough, tags, progress, reference)
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
        notes += _density_told(mastered, brief, rough)
        if mastered.moves is not None:
            notes += _moves_told(mastered.moves, mastered.higher_db, Path(brief.reference).name)
        facts = mastered.masters[""].files["master.wav"].facts
        assert facts is not None
        compared = {"original": facts_of(original), "mix": mastered.mix or facts_of(mix), "master": facts}
        if reference is not None:
            compared["reference"] = facts_of(reference)
        finished = Recording.open(files["master.wav"])
        quality = {
            name: quality_by(compared[name], recording)
            for name, recording in (("original", original), ("master", finished))
        }
        for name, score in quality.items():
            measures |= {} if score.total is None else {f"{name}_quality": score.total}
        reports = report(compared, into, (*moved, *notes), quality)
        if mastered.moves is not None:
            measures["reference_moved_db"] = mastered.moves.span_db
            reports[MOVES] = _written(mastered.moves, brief, into / MOVES)
        measures |= {"compressed_db": mastered.compressed_db, "clipped_db": mastered.clipped_db}
        measures |= asdict(phase_beside(finished, original))
        return Product(files, measures, tuple(notes), reports)


def _reference(brief: MasteringBrief) -> NamedFile | None:
    wanted = brief.reference and brief.reference_amount
    return NamedFile("mastering.reference", Path(brief.reference)) if wanted else None


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
    loudness = master.loudness_lufs
    if not math.isfinite(loudness):
        yield (
            "has no integrated loudness (silence, nothing over −70 LUFS, or shorter than 400 ms): "
            f"at most brought to {limiter_dbtp:g} dBTP"
        )
    elif master.bounded and abs(loudness - master.target_lufs) > TOLERANCE_LU:
        why = (
            "more would bring less than half of its limiting in loudness (mastering.limiting_db allows it)"
            if master.wasteful
            else f"more would take over {GAIN_BOUND_DB:g} dB of gain"
            if master.amplified
            else f"more would take over {master.allowed_db:.1f} dB off its peaks (mastering.limiting_db allows "
            "more)"
        )
        yield f"is at {loudness:.1f} LUFS, not {master.target_lufs:g}: {why}"
    for form in LOSSY:
        file = next((file for file in master.files.values() if file.path.suffix == f".{form}"), None)
        if file is None:
            continue
        called = LOSSY[form].called
        if channels_in(form, channels) < channels:
            yield f"the {called} has {channels} channels mixed down to stereo"
        own = file.levels.loudness.integrated_lufs
        if loudness - own > TOLERANCE_LU:
            yield f"the {called} is at {own:.1f} LUFS, not {loudness:.1f}: its peaks allow no more"
        if file.limited_dbtp < limiter_dbtp:
            yield (
                f"the {called} is limited to {file.limited_dbtp:.1f} dBTP, to leave room for the peaks that "
                "encoding adds"
            )


def _density_told(mastered: Mastered, brief: MasteringBrief, rough: float) -> Iterator[str]:
    """What may be heard of it, and why there is none where somebody may expect it."""
    if brief.compress and DENSITY[brief.preset] is None:
        yield f"compress={brief.compress:g} compresses nothing with the preset {brief.preset}"
    elif brief.preset == "aggressive" and brief.compress is None and not rough:
        yield "finished music: the preset aggressive compresses nothing unless mastering.compress says so"
    told = []
    if mastered.compressed_db >= _TOLD_DB:
        told.append(f"compressed in three bands, by at most {mastered.compressed_db:.1f} dB")
    if mastered.clipped_db >= _TOLD_DB:
        told.append(f"peaks clipped by at most {mastered.clipped_db:.1f} dB")
    if told:
        yield "; ".join(told)


def _moves_told(moves: Moves, higher_db: float, name: str) -> Iterator[str]:
    tone, width = (octaves_told(by_octave(values).tolist()) for values in (moves.tone_db, moves.width_db))
    yield f"moved towards {printable_name(name)}, by octave in dB: {tone or 'nothing'}"
    if width:
        yield f"side against mid, by octave in dB: {width}"
    if higher_db >= _HIGHER_DB:
        yield f"peaks stand {higher_db:.1f} dB higher over its loudness for that, which costs loudness"
    yield from moves.reasons
