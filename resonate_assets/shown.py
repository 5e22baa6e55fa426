"""What a person is shown of an artefact in the web UI: in which order, in which words, and how exactly.

Manifests keep what was measured, exactly; here it is rounded to what can be heard or was really measured.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from resonate_assets.acceptance import Measures, number
from resonate_assets.markdown import lines, literal, table
from resonate_assets.sentences import INFINITE, sentence
from resonate_resources.restoration.resource import REPORT
from resonate_resources.signal.thumbnail import data_uri
from resonate_resources.storage.artefacts import THUMBNAIL, Artefact

_DIGITS = {
    "_db": 1, "_dbfs": 1, "_dbtp": 1, "_lu": 1, "_lufs": 1, "_bpm": 1, "_hz": 0, "_s": 2, "_minutes": 1,
    "_total": 1,
}  # fmt: skip
_OTHER_DIGITS = 2
_MANY = 12
PAGE = "RESONATE_PAGE"
"""The variable with the address of the page on which tracks are heard, where there is one."""
_MATTER: Mapping[str, tuple[str, ...]] = {
    "raw_track": ("duration_s", "loudness_lufs", "sample_peak_dbfs"),
    "profile": ("tempo_bpm", "key", "metre", "loudness_lufs", "quality"),
    "stems": ("vocals_si_sdr_db", "vocals_predicted_quality_db", "null_depth_db"),
    "restored_track": ("steps_kept",),
    "restored_stems": ("steps_kept",),
    "analysis": ("form", "sections", "bars"),
    "midi": ("tempo_bpm", "vocals_notes", "drums_notes"),
    "mix_plan": ("rough", "vocals_gain_db", "drums_gain_db"),
    "mix": ("loudness_lufs", "true_peak_dbtp"),
    "master": ("loudness_lufs", "true_peak_dbtp", "limiting_db", "original_quality", "master_quality"),
    "regenerated_stems": ("rounds", "gained"),
    "qc_scores": ("master_total", "regenerated_total"),
    "remix": ("tempo_bpm", "semitones", "chops", "loops"),
    "exports": ("files_exported",),
}
"""Stage → the numbers that matter most; the others come after the files."""


def metadata(artefact: Artefact) -> dict[str, dg.MetadataValue]:
    """An artefact in the web UI, in the order that a person wants it: picture, a sentence, the numbers that matter,
    where the files are; then everything else. Of exports, where they are comes first of all."""
    manifest = artefact.manifest
    measures = manifest.measures
    shown: dict[str, dg.MetadataValue] = {}
    if manifest.stage == "exports":
        shown |= _exported(artefact)
    if page := os.environ.get(PAGE):
        shown["page"] = dg.MetadataValue.url(f"{page}/tracks/{manifest.track}")
    if THUMBNAIL in manifest.files:
        small = data_uri(artefact.path(THUMBNAIL).read_bytes())
        shown["picture"] = dg.MetadataValue.md(f"![{manifest.stage}]({small})")
    if told := sentence(manifest.stage, measures, manifest.recipe.get("settings")):
        shown["verdict"] = dg.MetadataValue.text(told)
    for name in _MATTER.get(manifest.stage, ()):
        if name in measures:
            shown[_called(name)] = _value(name, measures[name])
    if manifest.stage != "exports":
        shown |= _places(
            artefact.location("").rstrip("/"), [name for name in manifest.files if name != THUMBNAIL]
        )
    if manifest.notes:
        shown["notes"] = dg.MetadataValue.md(lines(manifest.notes))
    if REPORT in manifest.files:
        shown["steps"] = dg.MetadataValue.md(_steps(artefact.read_json(REPORT)))
    if manifest.stage == "qc_scores":
        shown["scores"] = dg.MetadataValue.md(_scores(measures))
    else:
        others = {name: value for name, value in measures.items() if not _stands_elsewhere(name)}
        shown = {**shown, **{_called(name): _value(name, value) for name, value in others.items()}, **shown}
    engine = manifest.engine
    shown["engine"] = dg.MetadataValue.text(
        engine.name if engine.model is None else f"{engine.name}: {engine.model}"
    )
    settings = manifest.recipe.get("settings")
    if isinstance(settings, dict) and settings:
        shown["settings"] = dg.MetadataValue.json(_short(settings))
    shown["seconds"] = dg.MetadataValue.float(round(manifest.seconds, 1))
    return shown


def rounded(name: str, value: float) -> float | int:
    """A measure to the digits that its unit deserves, which its name ends in."""
    digits = next((digits for unit, digits in _DIGITS.items() if name.endswith(unit)), _OTHER_DIGITS)
    return round(value, digits) if digits else round(value)


def _exported(artefact: Artefact) -> dict[str, dg.MetadataValue]:
    told = artefact.read_json("exports.json")
    return _places(artefact.store.location(f"exports/{told['folder']}"), told["files"])


def _places(folder: str, files: list[str]) -> dict[str, dg.MetadataValue]:
    """The folder as a path, which the web UI gives a button to copy; what is in it by name."""
    return {
        "folder": dg.MetadataValue.path(folder),
        "files": dg.MetadataValue.md(", ".join(map(literal, names_shown(files)))),
    }


def names_shown(files: Sequence[str]) -> list[str]:
    """Names, those of folders with more than a dozen files in it as "chops/ (75 files)": a row of the event log and
    a line of a terminal hold no thousands."""
    in_folder = Counter(file.rpartition("/")[0] for file in files)
    told = []
    for file in files:
        folder = file.rpartition("/")[0]
        many = folder and in_folder[folder] > _MANY
        told.append(f"{folder}/ ({in_folder[folder]} files)" if many else file)
    return [*dict.fromkeys(told)]


def _called(name: str) -> str:
    """A measure's name in the web UI: the longest one takes its room from all the values beside it."""
    for ending, shorter in _CALLED.items():
        if name.endswith(ending):
            return name.removesuffix(ending) + shorter
    return name


_CALLED = {
    "_predicted_quality_db": "_quality_db",
    "_si_sdr_db": "_quality_db",
}


def _stands_elsewhere(name: str) -> bool:
    """Errors of predictions stand in the sentence and the report, the folder of exports above."""
    return name == "folder" or name.endswith("_quality_error_db")


_CANDIDATES = {"master": "master", "regenerated": "rebuilt", "leave_one_out": "no copy"}
"""Who is scored, in a word: columns are narrow."""


def _scores(measures: Measures) -> str:
    """Dimensions of all candidates side by side."""
    candidates = [each for each in _CANDIDATES if f"{each}_total" in measures]
    dimensions = [
        name.removeprefix("master_")
        for name, value in measures.items()
        if name.startswith("master_") and not isinstance(value, bool | str)
    ]
    return table(
        ["of 100, s, dB", *(_CANDIDATES[each] for each in candidates)],
        [
            [
                dimension.replace("_", " "),
                *(
                    f"{rounded(name, number(measures[name])):g}"
                    if (name := f"{each}_{dimension}") in measures
                    else ""
                    for each in candidates
                ),
            ]
            for dimension in dimensions
        ],
    )


def _steps(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What restoration did, step by step, and what the panel measured before and after."""
    rows = [
        [name, each["step"], each["engine"], f"{each['kept']:.0%}", _before_after(each), each["reason"]]
        for name, steps in told.items()
        for each in steps
    ]
    return table(["of", "step", "by", "kept", "before → after", "as"], rows) if rows else "none was needed"


def _before_after(step: Mapping[str, Any]) -> str:
    before = step["before"]
    return ", ".join(
        f"{name.replace('_', ' ')} {before[name]:.1f} → {after:.1f}"
        for name, after in step["after"].items()
        if name in before
    )


def _short(settings: Any) -> Any:
    """Settings with hashes shortened to what people compare; keys and manifests have them whole."""
    if isinstance(settings, str):
        return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b", r"\1…", settings)
    if isinstance(settings, dict):
        return {name: _short(value) for name, value in settings.items()}
    return [_short(value) for value in settings] if isinstance(settings, list) else settings


def _value(name: str, value: float | int | str | bool) -> dg.MetadataValue:
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        short = rounded(name, value)
        return dg.MetadataValue.int(short) if isinstance(short, int) else dg.MetadataValue.float(short)
    return dg.MetadataValue.text(INFINITE.get(value, str(value)))
