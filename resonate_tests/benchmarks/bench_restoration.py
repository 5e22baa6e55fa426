"""What restoration does to the stems of phone recordings whose truth is known.

`python -m resonate_tests.benchmarks.bench_restoration [SEED …]`      (1 2 3 4 by default)

Per song and stem: SI-SDR to what the stem contributed to the phone recording, and how much each preset changes it;
the same against the song as it left the studio (balanced); how far the noise floor falls (the 5th percentile of the
level of 50 ms, balanced); how loud new octaves are against the stem (balanced). Then the CPU time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.resource import RestorationResource
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.resource import SeparationResource
from resonate_resources.signal.si_sdr import measure_si_sdr
from resonate_studio.demo import noise_floor
from resonate_studio.demo_song import compose, record_on_phone, render

PRESETS: tuple[Preset, ...] = get_args(Preset)


def opened(product: Product) -> Stems:
    return {path.stem: Recording.open(path) for path in product.files.values() if path.suffix == ".wav"}


def distances(stems: Stems, truth: Stems) -> dict[str, float]:
    """Stem name → SI-SDR in dB."""
    return {name: measure_si_sdr(stem, truth[name]) for name, stem in stems.items()}


def added_db(product: Product, name: str) -> str:
    """Level of all new octaves of a stem against it."""
    levels = [
        float(value)
        for measure, value in product.measures.items()
        if measure.startswith(f"{name}_") and measure.endswith("_added_db")
    ]
    return f"{10 * np.log10(sum(10 ** (level / 10) for level in levels)):.0f}" if levels else "none"


def report(seed: int, folder: Path) -> tuple[float, float]:
    """Print the rows of a song. Returns the worst change of a stem's SI-SDR in dB, and CPU time over length."""
    for part in ("song", "phone", "stems", *PRESETS):
        (folder / part).mkdir()
    song = render(compose(seed=seed), folder / "song")
    phone = record_on_phone(song, folder / "phone")
    separation = SeparationResource()
    planned = separation.plan(phone.mix, SeparationBrief())
    stems = opened(separation.separate(planned, folder / "stems"))
    products, spent = {}, 0.0
    for preset in PRESETS:
        began = time.process_time()
        brief = RestorationBrief(preset=preset)
        products[preset] = RestorationResource().restore(stems, brief, folder / preset)
        spent += time.process_time() - began
    before, clean = distances(stems, phone.stems), distances(stems, song.stems)
    changes = {
        preset: {
            name: after - before[name] for name, after in distances(opened(product), phone.stems).items()
        }
        for preset, product in products.items()
    }
    balanced = opened(products["balanced"])
    to_clean = distances(balanced, song.stems)
    for name, stem in stems.items():
        gained = " | ".join(f"{changes[preset][name]:+.4f}" for preset in PRESETS)
        floor = round(noise_floor(balanced[name]) - noise_floor(stem), 1) + 0.0
        print(
            f"| {seed} | {name} | {before[name]:.2f} | {gained} | {clean[name]:.2f} |"
            f" {to_clean[name] - clean[name]:+.4f} | {floor:.1f} | {added_db(products['balanced'], name)} |",
            flush=True,
        )
    worst = min(change for of_preset in changes.values() for change in of_preset.values())
    return worst, spent / len(PRESETS) / phone.mix.duration


def main() -> None:
    seeds = [int(word) for word in sys.argv[1:]] or [1, 2, 3, 4]
    print(f"| seed | stem | SI-SDR | {' | '.join(PRESETS)} | to clean | change | floor | added |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    results = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            results.append(report(seed, Path(folder)))
    worst, spent = (np.array(column) for column in zip(*results, strict=True))
    print(
        f"\nworst change of a stem: {worst.min():+.5f} dB; CPU seconds for three minutes: {180 * spent.mean():.1f}"
    )


if __name__ == "__main__":
    main()
