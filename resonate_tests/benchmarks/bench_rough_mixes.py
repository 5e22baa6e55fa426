"""Rough mixes of known stems, mixed by us, beside the true mix.

`python -m resonate_tests.benchmarks.bench_rough_mixes FOLDER [COUNT]` takes mixtures that `mask_fitting.mixtures`
has made into FOLDER (none that anything in `mixing` was fitted on), puts every stem off by up to 8 dB and makes the
whole muddy, harsh, pumping, or a phone's, or nothing more; has it mixed from those stems, and from stems that the
embedded engine separates of the rough mix; and prints how far tone and levels are from the true mix.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy import signal

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import TrackFacts
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import PLAN, MixingResource
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import Recording, Stems, write_samples
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.resource import SeparationResource
from resonate_resources.signal.octaves import octave_levels
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import STEMS

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

OFF_DB = 8.0
DEFECTS = ("levels", "muddy", "harsh", "pumping", "phone")
SETTINGS = {
    "auto": {"balance": "auto"},
    "auto, conservative": {"balance": "auto", "preset": "conservative"},
    "auto, aggressive": {"balance": "auto", "preset": "aggressive"},
    "standard": {"balance": "standard"},
    "reference: the true mix": {"balance": "reference"},
    "reference, aggressive": {"balance": "reference", "preset": "aggressive"},
}

_JUDGED = slice(1, 9)  # octaves from 63 Hz to 8 kHz
_AUDIBLE_DB = -24.0


def main(folder: Path, count: int) -> None:
    rows: dict[tuple[str, str], list[tuple[str, float, float, float, float]]] = {}
    for seed, path in enumerate(sorted(folder.glob("*.npz"))[:count]):
        sound = np.load(path)["sound"].astype(np.float32) / 32768
        stems = dict(zip(STEMS, sound[1:], strict=True))
        defect = DEFECTS[seed % len(DEFECTS)]
        with TemporaryDirectory() as scratch:
            for key, values in tried(stems, defect, np.random.default_rng(seed), Path(scratch)).items():
                rows.setdefault(key, []).append((defect, *values))
        print(f"{seed + 1}", end=" ", flush=True, file=sys.stderr)
    print(
        "| setting | stems | tone off, dB | levels off, dB | tone nearer | halved | 0.5 dB worse | by defect |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    for (setting, kind), found in rows.items():
        before, after, levels_before, levels_after = np.array([each[1:] for each in found]).T
        by_defect = ", ".join(
            f"{defect} {np.median([each[1] for each in found if each[0] == defect]):.1f} → "
            f"{np.median([each[2] for each in found if each[0] == defect]):.1f}"
            for defect in DEFECTS
            if any(each[0] == defect for each in found)
        )
        print(
            f"| {setting} | {kind} | {np.median(before):.2f} → {np.median(after):.2f} "
            f"| {np.median(levels_before):.2f} → {np.median(levels_after):.2f} | {np.mean(after < before):.0%} "
            f"| {np.mean(after <= before / 2):.0%} | {np.mean(after > before + 0.5):.0%} | {by_defect} |"
        )


def tried(
    stems: Mapping[str, Samples], defect: str, rng: np.random.Generator, folder: Path
) -> dict[tuple[str, str], tuple[float, float, float, float]]:
    """(setting, kind of stems) → tone off before and after, levels off before and after, in dB."""
    true_mix: Samples = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    rough, gains_db = roughened(stems, defect, rng)
    rough_mix: Samples = np.sum(list(rough.values()), axis=0, dtype=np.float32)
    scale = np.float32(0.5 / np.abs(rough_mix).max())
    rough = {name: stem * scale for name, stem in rough.items()}
    reference = write_samples(folder / "reference.wav", true_mix, RATE)
    track = write_samples(folder / "rough.wav", rough_mix * scale, RATE)
    true_stems = {name: write_samples(folder / f"{name}.wav", stem, RATE) for name, stem in rough.items()}
    separated, worth = separate(track, folder)
    kinds: dict[str, tuple[Stems, Mapping[str, list[Worth]]]] = {
        "true": (true_stems, {name: [Worth(0.0, track.duration, math.inf, 0.0)] for name in STEMS}),
        "separated": (separated, worth),
    }
    facts = facts_of(track, folder)
    audible = [
        name
        for name in STEMS
        if np.square(stems[name]).mean() > 10 ** (_AUDIBLE_DB / 10) * np.square(true_mix).mean()
    ]
    found = {}
    for setting, asked in SETTINGS.items():
        wanted = dict(asked, reference=str(reference.path) if asked["balance"] == "reference" else "")
        brief = MixingBrief.model_validate(wanted)
        for kind, (parts, quality) in kinds.items():
            into = folder / f"{setting}-{kind}".replace(" ", "")
            into.mkdir()
            mixing = MixingResource()
            planned = mixing.plan(parts, quality, facts, brief, into)
            plan = MixPlan.read(planned.files[PLAN])
            mix = Recording.open(mixing.mix(parts, plan, into).files["mix.wav"])
            moved = {name: gains_db[name] + plan.stems[name].gain_db for name in audible}
            found[setting, kind] = (
                tone_off(track, reference),
                tone_off(mix, reference),
                spread([gains_db[name] for name in audible]),
                spread(list(moved.values())),
            )
    return found


def facts_of(track: Recording, folder: Path) -> TrackFacts:
    """As its profile has them, sections included."""
    product = ProfilingResource().profile(track, ProfileBrief(), folder)
    profile = Profile.read(product.files["profile.json"])
    return TrackFacts(
        profile.bandwidth_hz,
        profile.octaves_db,
        profile.snr_db,
        profile.loudness.plr_db,
        profile.correlation,
        [(section.start_s, section.end_s) for section in profile.sections],
    )


def roughened(
    stems: Mapping[str, Samples], defect: str, rng: np.random.Generator
) -> tuple[dict[str, Samples], dict[str, float]]:
    """Stems off in level and what else is done to their sum, and by how many dB each is off."""
    gains_db = {name: float(rng.uniform(-OFF_DB, OFF_DB)) for name in stems}
    rough = {name: stem * np.float32(10 ** (gains_db[name] / 20)) for name, stem in stems.items()}
    match defect:
        case "muddy":
            rough = {
                name: peaking(stem, rng.uniform(250, 450), rng.uniform(8, 12)) for name, stem in rough.items()
            }
        case "harsh":
            rough = {
                name: peaking(stem, rng.uniform(4500, 7500), rng.uniform(8, 12))
                for name, stem in rough.items()
            }
        case "pumping":
            level = signal.lfilter([0.0005], [1, -0.9995], np.abs(rough["drums"]).max(axis=0))
            duck = (1 - 0.7 * level / (level.max() + 1e-9)).astype(np.float32)
            rough = {name: stem * (1 if name == "drums" else duck) for name, stem in rough.items()}
        case "phone":
            band = signal.butter(3, (180, 7500), "bandpass", fs=RATE, output="sos")
            rough = {name: signal.sosfilt(band, stem, axis=1) for name, stem in rough.items()}
    return {name: np.asarray(stem, np.float32) for name, stem in rough.items()}, gains_db


def peaking(stem: Samples, hertz: float, gain_db: float, q: float = 0.7) -> Samples:
    """A bell of the Audio EQ Cookbook."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hertz / RATE
    alpha = np.sin(w) / (2 * q)
    b = [1 + alpha * a, -2 * np.cos(w), 1 - alpha * a]
    return np.asarray(
        signal.lfilter(b, [1 + alpha / a, -2 * np.cos(w), 1 - alpha / a], stem, axis=1), np.float32
    )


def separate(track: Recording, folder: Path) -> tuple[Stems, dict[str, list[Worth]]]:
    """By the embedded engine, with the quality that is predicted."""
    into = folder / "separated"
    into.mkdir()
    separation = SeparationResource()
    planned = separation.plan(track, SeparationBrief(engine="spectral"), megabytes=0.0)
    product = separation.separate(planned, into)
    quality = json.loads((into / "quality.json").read_text())["quality"]
    stems = {name: Recording.open(product.files[f"{name}.wav"]) for name in STEMS}
    return stems, {name: [Worth.of(window) for window in each["windows"]] for name, each in quality.items()}


def tone_off(mix: Recording, true_mix: Recording) -> float:
    """Root mean square over octaves of how far levels are off, at equal mean, in dB."""
    off = 10 * np.log10((octave_levels(mix) + 1e-12) / (octave_levels(true_mix) + 1e-12))[_JUDGED]
    return spread(off.tolist())


def spread(values: list[float]) -> float:
    return float(np.std(values)) if values else 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50)
