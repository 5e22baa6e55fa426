"""What came of a stage, in one sentence: of what its manifest tells, whoever made it, as far as it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resonate_assets.acceptance import (
    UNJUDGED,
    Measures,
    has_loudness,
    lacking,
    limits_gently,
    most_limiting_db,
    number,
    poor_stems,
    quality_of,
    rebuilt_told,
    score,
    scores_enough,
)
from resonate_resources.quality.scales import ACCEPTED

INFINITE = {"inf": "∞", "-inf": "−∞"}
"""How manifests write infinities, and how people do."""
_ASKED_BY = {"generated_track": "restoration.mode", "remix": "remixing"}
"""Stage that makes something only where the brief asks → where it does."""
LEAST_CONFIDENCE = 0.5
"""Of what a sentence tells without saying how sure it is."""


def sentence(stage: str, measures: Measures, settings: object = None) -> str:
    """The sentence on a stage; empty where nothing is known. settings: those of its recipe."""
    if _PARTS.get(stage) is _restored and isinstance(settings, Mapping) and settings.get("steps") == []:
        return "left as it was: no step asked for"
    if isinstance(settings, Mapping) and settings.get("asked") is False:
        return f"not asked for: see {_ASKED_BY.get(stage, 'exports.targets')} of the brief"
    return ", ".join(_PARTS[stage](measures)) if stage in _PARTS else ""


def clock(seconds: float) -> str:
    """A length as people read it: `3:07`, or `1:02:09`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _raw_track(measures: Measures) -> list[str]:
    told = []
    if "duration_s" in measures:
        told.append(clock(number(measures["duration_s"])))
    if (channels := measures.get("channels")) is not None:
        told.append({1: "mono", 2: "stereo"}.get(int(channels), f"{channels} channels"))
    if "sample_rate_hz" in measures:
        told.append(f"{number(measures['sample_rate_hz']) / 1000:g} kHz")
    return told + _levels(measures)


def _profile(measures: Measures) -> list[str]:
    tempo, key = measures.get("tempo_bpm"), measures.get("key")
    return [
        "no steady tempo" if tempo is None else f"{number(tempo):.1f} BPM",
        "no certain key" if key is None else str(key),
        *_levels(measures),
        *([f"sounds like {number(measures['quality']):.0f} of 100"] if "quality" in measures else []),
    ]


def _analysis(measures: Measures) -> list[str]:
    bars = int(number(measures.get("bars", 0)))
    told = [f"{bars} bars" if bars else "no bars"]
    if form := measures.get("form"):
        told.append(f"form {form}")
    if number(measures.get("pumping_confidence", 0)) >= LEAST_CONFIDENCE:
        told.append(f"pumps by {number(measures['pumping_db']):.1f} dB")
    return told


def _stems(measures: Measures) -> list[str]:
    count = sum(name.endswith("_level_dbfs") for name in measures)
    quality = quality_of(measures, "vocals")
    if quality is None:
        vocals = "no vocals in them"
    elif "vocals_si_sdr_db" in measures:
        vocals = f"vocals measured at {quality:.1f} dB"
    else:
        error = number(measures.get("vocals_predicted_quality_error_db", 0.0))
        vocals = f"vocals predicted at {quality:.1f} ± {error:.1f} dB"
    poor = list(poor_stems(measures))
    return [f"{count} stems", vocals, *([f"poor: {', '.join(poor)}"] if poor else [])]


def _restored(measures: Measures) -> list[str]:
    """What was done to which recording; a step is told by its measure `<recording>_<step>_kept`."""
    kept = [
        name.removesuffix("_kept").rpartition("_")
        for name in measures
        if name.endswith("_kept") and name != "steps_kept"
    ]
    steps = dict.fromkeys(step for _, _, step in kept)
    told = [
        " ".join([_DONE.get(step, step), *_of([name for name, _, each in kept if each == step])])
        for step in steps
    ]
    return told or ["left as it was: nothing to mend"]


def _of(names: list[str]) -> list[str]:
    return [] if names == ["track"] else [f"in {' and '.join(names)}"]


_DONE = {
    "declip": "clipped tops rebuilt",
    "declick": "clicks taken out",
    "dehum": "hum taken off",
    "dewow": "wow and flutter taken off",
    "denoise": "noise taken off",
    "derumble": "rumble cut",
    "dereverb": "room taken down",
    "decomb": "upsampling lines taken off",
    "deshimmer": "shimmer taken off",
    "deess": "sibilance tamed",
    "fill": "codec holes filled",
    "tone": "colour taken off",
    "extend": "lost octaves put back",
    "polish": "polished",
}
"""Step → what was done."""


def _midi(measures: Measures) -> list[str]:
    tempo = measures.get("tempo_bpm")
    return [f"{_notes(measures)} notes", *([] if tempo is None else [f"{number(tempo):.1f} BPM"])]


def _mix_plan(measures: Measures) -> list[str]:
    moved = {
        name.removesuffix("_gain_db"): number(value)
        for name, value in measures.items()
        if name.endswith("_gain_db") and abs(number(value)) >= 0.05
    }
    if not moved:
        return ["no stem is moved"]
    return [f"{name} {gain_db:+.1f} dB" for name, gain_db in moved.items()]


def _master(measures: Measures) -> list[str]:
    told = _levels(measures)
    if "limiting_db" in measures:
        heard = "" if limits_gently(measures) else f": over {most_limiting_db(measures):g} dB is heard"
        told.append(f"peaks limited by {number(measures['limiting_db']):.1f} dB{heard}")
    if {"original_quality", "master_quality"} <= set(measures):
        before, after = (number(measures[f"{each}_quality"]) for each in ("original", "master"))
        told.append(f"sound quality {before:.0f} → {after:.0f} of 100")
    if not has_loudness(measures):
        told.append(UNJUDGED)
    elif measures.get("bounded"):
        told.append("softer than asked: as loud as its peaks allow")
    return told


def _regenerated_stems(measures: Measures) -> list[str]:
    told = [f"{_notes(measures)} notes played"]
    if "rounds" in measures:
        rounds = number(measures["rounds"])
        told.append(f"{rounds:g} round{'' if rounds == 1 else 's'}, +{number(measures['gained']):.1f} of 100")
    return told


def _qc_scores(measures: Measures) -> list[str]:
    if "master_total" not in measures:
        return []
    told = [f"the master scores {score(measures)} of 100"]
    if not scores_enough(measures):
        told.append(f"not accepted: {lacking(measures) or f'{ACCEPTED:g} are asked for'}")
    rebuilt = rebuilt_told(measures)
    return [*told, *([f"the rebuilt track {rebuilt}"] if rebuilt else [])]


def _generated_track(measures: Measures) -> list[str]:
    if "share" not in measures:
        return []
    share = number(measures["share"])
    return [str(measures["label"]), *([f"{share:.0%} of the blend"] if share < 1 else [])]


def _remix(measures: Measures) -> list[str]:
    return [f"{measures[name]} {name}" for name in ("chops", "loops") if name in measures]


def _exports(measures: Measures) -> list[str]:
    return [f"{measures['files_exported']} files to take away"] if "files_exported" in measures else []


def _levels(measures: Measures) -> list[str]:
    known = {"loudness_lufs": "{} LUFS", "true_peak_dbtp": "peaks at {} dBTP"}
    return [words.format(_decibels(measures[name])) for name, words in known.items() if name in measures]


def _notes(measures: Measures) -> int:
    return sum(int(value) for name, value in measures.items() if name.endswith("_notes"))


def _decibels(value: float | int | str | bool) -> str:
    return INFINITE.get(str(value)) or f"{number(value):.1f}"


_PARTS: Mapping[str, Callable[[Measures], list[str]]] = {
    "raw_track": _raw_track,
    "profile": _profile,
    "stems": _stems,
    "restored_track": _restored,
    "restored_stems": _restored,
    "analysis": _analysis,
    "midi": _midi,
    "mix_plan": _mix_plan,
    "mix": _levels,
    "master": _master,
    "regenerated_stems": _regenerated_stems,
    "qc_scores": _qc_scores,
    "generated_track": _generated_track,
    "remix": _remix,
    "exports": _exports,
}
"""Stage → the parts of its sentence."""
