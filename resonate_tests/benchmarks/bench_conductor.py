"""Whether spoiled mixes are brought back and clean ones left alone, by rules: `… bench_conductor FOLDER [SONGS]`.

FOLDER holds true stems of mixtures, as `mask_fitting.mixtures` makes them. Every song is planned as it is, and with
its octaves of 250 and 500 Hz, or of 4 and 8 kHz, raised by 6 to 10 dB in all stems alike. The plan's tone is
carried out, and the result held against the clean mix: root mean square of third octaves from 50 Hz to 12 kHz in
dB, less their mean.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin2, oaconvolve, welch

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.kind import DEFECTS as SHAPES
from resonate_resources.mixing.kind import kind_of
from resonate_resources.mixing.material import FINISHED, material_of
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import plan_mix
from resonate_resources.recordings.recording import Samples, Stems, write_samples
from resonate_resources.signal.linear_phase import linear_phase
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import STEMS

DEFECTS: Mapping[str, tuple[float, float]] = {
    "muddy": (250 / math.sqrt(2), 500 * math.sqrt(2)),
    "harsh": (4000 / math.sqrt(2), 8000 * math.sqrt(2)),
}
"""Edges of the octaves that are raised, in Hz."""

LEAST_DB, MOST_DB = 6.0, 10.0
HALVED = 0.5
USUAL = 2.0
"""Standard deviations of music of its kind."""

_THIRDS_HZ = 1000 * 2.0 ** (np.arange(-13, 12) / 3)  # 50 Hz to 12.7 kHz


def main(folder: str, songs: str = "40") -> None:
    amounts = np.random.default_rng(12).uniform(LEAST_DB, MOST_DB, (int(songs), len(DEFECTS)))
    print("| song | clean | " + " | ".join(f"{name}: raised, then off by | moves" for name in DEFECTS) + " |")
    print("|---|---|" + "---|---|" * len(DEFECTS))
    left, back, within = [], [], []
    for path, raised in zip(sorted(Path(folder).glob("*.npz")), amounts, strict=False):
        with TemporaryDirectory() as scratch:
            sound = np.load(path)["sound"][1:].astype(np.float32) / 32768
            clean = {
                name: write_samples(Path(scratch) / f"{name}.wav", samples, RATE)
                for name, samples in zip(STEMS, sound, strict=True)
            }
            left.append(planned(clean).moves_nothing)
            row = [path.stem, "left alone" if left[-1] else "moved"]
            for (name, edges), amount_db in zip(DEFECTS.items(), raised, strict=True):
                stems = spoiled(clean, edges, amount_db, Path(scratch))
                plan = planned(stems)
                before, after = distances_db(clean, stems, plan)
                back.append(after / before)
                within.append(_is_usual(stems, plan, name))
                row += [f"+{amount_db:.1f} dB, {before:.1f} → {after:.1f}", _told(plan)]
        print("| " + " | ".join(row) + " |", flush=True)
    ratio = np.array(back)
    print(f"\nclean ones left alone: {np.mean(left):.0%} of {len(left)}")
    print(
        f"spoiled ones: distance at least halved in {np.mean(ratio <= HALVED):.0%} of {len(ratio)}, ", end=""
    )
    print(f"to {np.median(ratio):.0%} in the median, to {ratio.max():.0%} at worst; ", end="")
    print(f"no more than {USUAL:g} standard deviations over their kind: {np.mean(within):.0%}")


def spoiled(stems: Stems, edges_hz: tuple[float, float], amount_db: float, folder: Path) -> Stems:
    """The same stems with the octaves between the edges raised, over a sixth of an octave; no phase is moved."""
    rate = next(iter(stems.values())).sample_rate
    low, high = edges_hz
    soft = 2 ** (1 / 12)
    hertz = [0, low / soft, low * soft, high / soft, high * soft, rate / 2]
    gain = 10 ** (amount_db / 20)
    taps = firwin2(8191, hertz, [1, 1, gain, gain, 1, 1], fs=rate)
    return {
        name: write_samples(
            folder / f"{name}-{low:.0f}-{amount_db:.1f}.wav",
            oaconvolve(stem.read(), taps[None], mode="same", axes=1).astype(np.float32),
            rate,
        )
        for name, stem in stems.items()
    }


def planned(stems: Stems) -> MixPlan:
    worth = {name: [Worth(0.0, stem.duration, math.inf, 0.0)] for name, stem in stems.items()}
    finished = material_of(FINISHED)
    return plan_mix(MixingBrief(), finished, hold(stems, worth), dict.fromkeys(stems, -20.0))


def distances_db(clean: Stems, stems: Stems, plan: MixPlan) -> tuple[float, float]:
    """Of the mix from the clean one: as it came, and with the plan's tone."""
    target, mix = (np.sum([stem.read() for stem in each.values()], axis=0) for each in (clean, stems))
    rate = next(iter(stems.values())).sample_rate
    taps = linear_phase(plan.tone_db, rate)
    mended = oaconvolve(mix, taps[None], mode="same", axes=1)
    return distance_db(mix, target, rate), distance_db(mended, target, rate)


def distance_db(one: Samples | npt.NDArray[np.float64], two: Samples, rate: int) -> float:
    """Root mean square over third octaves of what levels are apart, less the mean."""
    apart = _thirds_db(one, rate) - _thirds_db(two, rate)
    return float(np.std(apart))


def _thirds_db(samples: Samples | npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    hertz, power = welch(samples, rate, nperseg=16_384)
    total = power.sum(axis=0)
    edges = np.searchsorted(hertz, np.outer(_THIRDS_HZ, [2 ** (-1 / 6), 2 ** (1 / 6)]))
    return np.array([10 * np.log10(total[low:high].sum() + 1e-20) for low, high in edges])


def _is_usual(stems: Stems, plan: MixPlan, name: str) -> bool:
    kind = kind_of({stem: energy.sum(axis=0) for stem, energy in hold(stems, {}).stems.items()})
    return kind.with_tone(plan.tone_db).amount(SHAPES[name])[1] <= USUAL


def _told(plan: MixPlan) -> str:
    kept = [f"{move.parameter} {move.value_db:+.1f}" for move in plan.moves if move.outcome == "kept"]
    return ", ".join(kept) or "none"


if __name__ == "__main__":
    main(*sys.argv[1:])
