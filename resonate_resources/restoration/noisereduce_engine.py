"""The embedded engine: noisereduce for the vocals' noise, new octaves for what a narrow band lost.

It needs no weights, and has no truth to compare with: every step is measured on the signal itself and kept
only where it helps.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.engine import Engine, Product
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Progress, Recording, Stems, write_recording
from resonate_resources.restoration.denoising import plan_reduction
from resonate_resources.restoration.extension import (
    Octave,
    Track,
    examine,
    extend,
    missing_highs,
    missing_lows,
)
from resonate_resources.restoration.noise import estimate_noise
from resonate_resources.restoration.rumble import cut_rumble
from resonate_resources.signal.bandwidth import (
    Bandwidth,
    LineLevels,
    find_upper_edge,
    measure_line_levels,
)

_CLEAN_DBFS = -100.0  # under the quantisation noise of 16 bits (−98 dBFS)
_WORTH_IT = 0.1  # less than 1 dB of reduction
_WORTH_CUTTING_DB = -60.0  # against the stem: inaudible beside it


@dataclass(frozen=True)
class Strength:
    """noise_share and loss_db: how much of the noise is taken, and of the music at most; see plan_reduction.

    spent: energy of new octaves, in parts of the energy of the noise and rumble taken off the same stem, at most.
    That was error, as what is added may be, so that less error remains than there was.
    octaves_db: their energy against the stem, at most; the only bound where there was nothing to take off.
    −40 dB lower the SI-SDR of a stem that is at 10 dB by 0.004 dB.
    """

    noise_share: float
    loss_db: float
    spent: float
    octaves_db: float


STRENGTHS: Mapping[Preset, Strength] = {
    "conservative": Strength(0.5, -46.0, 1 / 8, -46.0),
    "balanced": Strength(1.0, -40.0, 1 / 4, -43.0),
    "aggressive": Strength(1.5, -34.0, 1 / 2, -40.0),
}


@dataclass(frozen=True)
class _Restored:
    recording: Recording
    measures: Mapping[str, float]
    notes: tuple[str, ...]


class NoisereduceEngine:
    """noisereduce on the vocals, overtones on stems cut off where the track is, an octave under the bass."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._strength = STRENGTHS[preset]

    def engine(self) -> Engine:
        return Engine("noisereduce", settings={"preset": self._preset}, licence="MIT")

    def restore(self, stems: Stems, into: Path, progress: Progress) -> Product:
        track = examine(stems)
        progress(0.1)
        with ThreadPoolExecutor(2) as pool:
            jobs = {
                name: pool.submit(self._restore_stem, name, stem, track, into) for name, stem in stems.items()
            }
            restored: dict[str, _Restored] = {}
            for name, job in jobs.items():
                restored[name] = job.result()
                progress(0.1 + 0.9 * len(restored) / len(stems))
        measures: dict[str, float] = {"bandwidth_hz": track.upper_hz}
        for name, result in restored.items():
            measures |= {f"{name}_{measure}": value for measure, value in result.measures.items()}
        return Product(
            files={f"{name}.wav": result.recording.path for name, result in restored.items()},
            measures=measures,
            notes=tuple(f"{name}: {note}" for name, result in restored.items() for note in result.notes),
        )

    def _restore_stem(self, name: str, stem: Recording, track: Track, into: Path) -> _Restored:
        levels = measure_line_levels(stem.blocks(), stem.sample_rate)
        bandwidth = find_upper_edge(levels, stem.sample_rate)
        wanted: dict[str, Octave | None] = {}
        if track.lacks_highs and track.reached_by(bandwidth):
            wanted["overtones"] = missing_highs(levels, stem, track.upper_hz)
        if name == "bass" and track.lacks_lows:
            wanted["sub_bass"] = missing_lows(levels, stem)
        octaves = {part: octave for part, octave in wanted.items() if octave}
        measures: dict[str, float] = {}
        notes: list[str] = []
        with TemporaryDirectory(dir=into) as temporary:
            folder = Path(temporary)
            source, freed = stem, 0.0
            if name == "vocals":
                source, freed = self._denoise(stem, levels, folder, measures, notes)
            if track.only_rumbles:
                cut, rumble = cut_rumble(source, folder / "cut.wav")
                if rumble > 10 ** (_WORTH_CUTTING_DB / 10):
                    source, freed = cut, freed + rumble
                    measures["rumble_db"] = float(10 * np.log10(rumble))
                    notes.append(f"rumble at {measures['rumble_db']:.0f} dB against the stem cut under 40 Hz")
            limit = 10 ** (self._strength.octaves_db / 10)
            if freed:
                limit = min(limit, self._strength.spent * freed)
            extended, levels_db = extend(source, octaves, limit, folder)
            path = into / f"{name}.wav"
            with write_recording(path, stem.sample_rate, stem.channels, stem.frames) as writer:
                for block in extended:
                    writer.write(block)
        measures |= {f"{part}_added_db": level for part, level in levels_db.items()}
        notes.append(_extension_note(bandwidth, track, levels_db))
        return _Restored(writer.recording, measures, tuple(notes))

    def _denoise(
        self, stem: Recording, levels: LineLevels, folder: Path, measures: dict[str, float], notes: list[str]
    ) -> tuple[Recording, float]:
        """The stem, or a copy of less noise in `folder` where that is the better; what part of its energy went."""
        noise = estimate_noise(levels, stem.channels)
        measures["noise_dbfs"] = noise.level_db
        if noise.level_db < _CLEAN_DBFS:
            notes.append(f"noise left as it is: {noise.level_db:.0f} dBFS")
            return stem, 0.0
        strength = self._strength
        reduction = plan_reduction(stem, noise, strength.noise_share, strength.loss_db, folder / "gated.wav")
        if reduction.wet < _WORTH_IT:
            notes.append("noise left as it is: reducing it would take more of the part than of the noise")
            return stem, 0.0
        path = folder / "denoised.wav"
        with write_recording(path, stem.sample_rate, stem.channels, stem.frames) as writer:
            for block in reduction.blocks():
                writer.write(block)
        measures["noise_reduction_db"] = reduction.attenuation_db
        notes.append(f"noise at {noise.level_db:.0f} dBFS reduced by {reduction.attenuation_db:.1f} dB")
        return writer.recording, reduction.freed


def _extension_note(bandwidth: Bandwidth, track: Track, levels_db: Mapping[str, float]) -> str:
    if levels_db:
        added = ", ".join(f"{part.replace('_', ' ')} at {level:.0f} dB" for part, level in levels_db.items())
        return f"added {added} against the stem"
    if track.lacks_highs and not track.reached_by(bandwidth):
        ends = f"{bandwidth.upper_hz:.0f} Hz of itself, the track at {track.upper_hz:.0f} Hz"
        return f"nothing added: it ends at {ends}"
    return "nothing added: no octave is missing"
