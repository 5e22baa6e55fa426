"""In which form stems go out: format, bit depth and sample rate, all stems of a song alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Literal

import numpy as np

from resonate_resources.exporting.brief import Bits, Form
from resonate_resources.exporting.label import part_of
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.encoding import encode_aiff, encode_flac, encode_wav
from resonate_resources.recordings.lossy import encode_lossy, rate_in
from resonate_resources.recordings.recording import Progress, Recording, write_recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.signal.resampling import at_rate
from resonate_resources.signal.true_peak import measure_sample_peak


@dataclass(frozen=True)
class Written:
    """files: stem → file. gain_db: what all were turned by, 0 or less. notes: what is other than asked for."""

    files: Mapping[str, Path]
    gain_db: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SoundFormat:
    """bits: 16 and 24 are dithered, 32 is float; of no meaning to MP3 and Opus. sample_rate: in Hz; None: as it
    came."""

    form: Form = "wav"
    bits: Bits = 24
    sample_rate: Literal[44_100, 48_000] | None = None

    def write(
        self,
        stems: Mapping[str, Recording],
        tags: Tags,
        into: Path,
        progress: Progress,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Written:
        """Tagged files in `into`. more: see `write_tags`.

        Where fixed point or a codec would clip one stem's peaks, all are turned down alike, so that their balance
        stays. Raises AudioError.
        """
        files: dict[str, Path] = {}
        with TemporaryDirectory(dir=into) as scratch:
            converted = {
                name: self._at_its_rate(stem, Path(scratch) / f"{name}.wav") for name, stem in stems.items()
            }
            progress(0.2)
            gain = 1.0 if self._floats else _gain(converted)

            def encode(name: str) -> Path:
                path = into / f"{name}.{self.form}"
                turned = _turned(converted[name], gain, Path(scratch) / f"{name}-turned.wav")
                self._encode(turned, path)
                write_tags(path, part_of(tags, name.capitalize()), more)
                return path

            for name, path in zip(converted, in_parallel(encode, converted), strict=True):
                files[name] = path
                progress(0.2 + 0.8 * len(files) / len(converted))
        return Written(files, 20 * math.log10(gain), tuple(self._notes(stems, gain)))

    @property
    def _floats(self) -> bool:
        return self.bits == 32 and self.form in ("wav", "aiff")

    def _at_its_rate(self, stem: Recording, path: Path) -> Recording:
        """What is lossy is brought to a rate of its codec by the encoder, at once."""
        rate = self.sample_rate or stem.sample_rate
        if rate == stem.sample_rate or self.form == "opus":
            return stem
        frames = round(stem.frames * rate / stem.sample_rate)
        with write_recording(path, rate, stem.channels, frames) as writer:
            for block in at_rate(stem.blocks(), stem.sample_rate, rate, stem.channels, frames):
                writer.write(block)
        return writer.recording

    def _encode(self, stem: Recording, path: Path) -> None:
        if self.form in ("mp3", "opus"):
            encode_lossy(stem, path, self.form)
        elif self.form == "flac":
            encode_flac(stem, path, 16 if self.bits == 16 else 24)
        else:
            {"wav": encode_wav, "aiff": encode_aiff}[self.form](stem, path, self.bits)

    def _notes(self, stems: Mapping[str, Recording], gain: float) -> list[str]:
        notes = []
        if self.form == "flac" and self.bits == 32:
            notes.append("FLAC holds no floating point: stems have 24 bits")
        asked = {self.sample_rate or stem.sample_rate for stem in stems.values()}
        if self.form in ("mp3", "opus"):
            written = {rate_in(self.form, rate) for rate in asked}
            if written != asked:
                rates = " and ".join(f"{rate:,} Hz" for rate in sorted(written))
                notes.append(f"{self.form.upper()} has no such sample rate: stems are at {rates}")
        if gain < 1:
            notes.append(
                f"all stems are turned down by {-20 * math.log10(gain):.1f} dB: one of them is over full scale, "
                "which only 32-bit float WAV or AIFF holds"
            )
        return notes


def _gain(stems: Mapping[str, Recording]) -> float:
    loudest = max(in_parallel(measure_sample_peak, stems.values()), default=-math.inf)
    return float(10 ** (-max(0.0, loudest) / 20))


def _turned(stem: Recording, gain: float, path: Path) -> Recording:
    if gain == 1:
        return stem
    with write_recording(path, stem.sample_rate, stem.channels, stem.frames) as writer:
        for block in stem.blocks():
            writer.write(block * np.float32(gain))
    return writer.recording
