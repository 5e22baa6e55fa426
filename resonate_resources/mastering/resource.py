"""Mastering as a resource of the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from resonate_resources.engine import Engine, Product
from resonate_resources.mastering.chain import GAIN_BOUND_DB, SAMPLE_RATE, Mastered, master
from resonate_resources.mastering.delivery import MP3_KBPS
from resonate_resources.mastering.levelling import (
    CEILING_DBTP,
    LIMITER_CEILING_DBTP,
    LIMITING_BOUND_DB,
    TARGET_LUFS,
    TOLERANCE_LU,
)
from resonate_resources.preset import Preset
from resonate_resources.recordings.encoding import DITHER_SEED
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.recordings.tags import Tags

CODE_VERSION = "2"


class MasteringResource(dg.ConfigurableResource[None]):
    """Masters a mix to −14 LUFS under −1 dBTP. conservative leaves tone and dynamics as they are."""

    preset: Preset = "balanced"

    def engine(self) -> Engine:
        """What would master."""
        return Engine(
            "look-ahead true-peak limiter",
            {
                "preset": self.preset,
                "target_lufs": TARGET_LUFS,
                "ceiling_dbtp": CEILING_DBTP,
                "limiter_ceiling_dbtp": LIMITER_CEILING_DBTP,
                "gain_bound_db": GAIN_BOUND_DB,
                "limiting_bound_db": LIMITING_BOUND_DB,
                "sample_rate_hz": SAMPLE_RATE,
                "mp3_kbps": MP3_KBPS,
                "dither_seed": DITHER_SEED,
            },
        )

    def master(self, mix: Recording, tags: Tags, into: Path, progress: Progress = silent) -> Product:
        """Write master.wav, master.flac and master.mp3, at 48 kHz, of the mix's channels (MP3: at most two).

        Raises AudioError.
        """
        mastered = master(mix, into, self.preset, tags, progress)
        progress(1.0)
        wav, flac, mp3 = (mastered.files[f"master.{kind}"] for kind in ("wav", "flac", "mp3"))
        return Product(
            {name: file.path for name, file in mastered.files.items()},
            {
                "loudness_lufs": wav.loudness.integrated_lufs,
                "true_peak_dbtp": wav.true_peak_dbtp,
                "loudness_range_lu": wav.loudness.range_lu,
                "max_short_term_lufs": wav.loudness.max_short_term_lufs,
                "flac_loudness_lufs": flac.loudness.integrated_lufs,
                "flac_true_peak_dbtp": flac.true_peak_dbtp,
                "mp3_loudness_lufs": mp3.loudness.integrated_lufs,
                "mp3_true_peak_dbtp": mp3.true_peak_dbtp,
                "mp3_limited_dbtp": mp3.limited_dbtp,
                "gain_db": mastered.gain_db,
                "limiting_db": mastered.limiting_db,
            },
            tuple(_notes(mastered)),
        )


def _notes(mastered: Mastered) -> Iterator[str]:
    wav, mp3 = mastered.files["master.wav"], mastered.files["master.mp3"]
    loudness = wav.loudness.integrated_lufs
    if not math.isfinite(loudness):
        yield (
            "has no integrated loudness (silence, nothing over −70 LUFS, or shorter than 400 ms): "
            f"at most brought to {LIMITER_CEILING_DBTP:g} dBTP"
        )
    elif abs(loudness - TARGET_LUFS) > TOLERANCE_LU:
        yield (
            f"is at {loudness:.1f} LUFS, not {TARGET_LUFS:g}: more would take over "
            f"{GAIN_BOUND_DB:g} dB of gain or {LIMITING_BOUND_DB:g} dB of limiting"
        )
    if mp3.limited_dbtp < LIMITER_CEILING_DBTP:
        yield f"the MP3 is limited to {mp3.limited_dbtp:.1f} dBTP, to leave room for the peaks that encoding adds"
