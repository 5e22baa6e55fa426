"""A sampled instrument out of an SFZ file, as the export `sfz` writes it: the first version's opcodes, of which
those that only a keyboard needs (pitch wheel, turns, groups that end each other) are passed over, as its players do
with what they do not know.

What they mean: sfzformat.com, "SFZ v1".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from resonate_resources.instruments.sustaining import sustained
from resonate_resources.recordings.recording import AudioError, Recording, Samples

_HEADER: Final = re.compile(r"<(\w+)>")
_OPCODE: Final = re.compile(r"(\w+)=(.*?)(?=\s+\w+=|\s*$)")
_COMMENT: Final = re.compile(r"//.*")
_SILENT_DB: Final = 60.0  # what a release falls by
_LARGEST_BYTES: Final = 1_000_000
_KEPT: Final = 16  # samples: 1.5 MB each at most, as they are exported


@dataclass(frozen=True)
class _Region:
    """A sample, and keys and velocities that play it. tracking: 1 where velocity counts in full. loop: first and
    last frame of what is repeated while a key is held."""

    sample: Path
    low: int
    high: int
    center: int
    softest: int
    loudest: int
    tune_cents: float
    volume_db: float
    tracking: float
    loop: tuple[int, int] | None
    rings_out: bool
    release_s: float

    def off(self, pitch: int) -> int:
        """How many keys a key is past those it is for."""
        return max(self.low - pitch, pitch - self.high, 0)


@dataclass(frozen=True)
class SfzInstrument:
    """name: of its file, without the suffix."""

    name: str
    regions: Sequence[_Region]

    @classmethod
    def read(cls, path: Path) -> SfzInstrument:
        """Raises AudioError, in one line, for what is none, and for samples outside its folder."""
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                raise AudioError(f"{path.name}: is larger than {_LARGEST_BYTES // 10**6} MB")
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise AudioError(f"{path.name}: is no SFZ ({error.__class__.__name__})") from error
        regions = []
        group: dict[str, str] = {}
        for header, told in _sections(text):
            if header == "group":
                group = told
            elif header == "region":
                try:
                    regions.append(_region(path.parent, {**group, **told}))
                except (KeyError, ValueError) as error:
                    raise AudioError(f"{path.name}: region {len(regions) + 1}: {error}") from error
        if not regions:
            raise AudioError(f"{path.name}: has no regions")
        return cls(path.stem, regions)

    def has(self, pitch: int, beyond: int = 0) -> bool:
        """Whether a key sounds. beyond: as many keys past those of a region are played by it, too."""
        return min(region.off(pitch) for region in self.regions) <= beyond

    @property
    def law(self) -> float:
        """Exponent of amplitude over velocity."""
        return 2 * self.regions[0].tracking

    def sound(
        self, pitch: int, velocity: int, held_s: float, rate: int, beyond: int = 0, sustain: bool = False
    ) -> Samples:
        """(2, frames) of a key from its stroke until it has fallen silent; nothing where `has` says no. sustain:
        what has no loop goes on past its sample while the key is held, see `sustained`; players end it there."""
        off = min(region.off(pitch) for region in self.regions)
        playing = [
            _played(region, pitch, velocity, held_s, rate, sustain)
            for region in self._first_of_turns()
            if off <= beyond and region.off(pitch) == off and region.softest <= velocity <= region.loudest
        ]
        whole = np.zeros((2, max((each.shape[1] for each in playing), default=0)), np.float32)
        for each in playing:
            whole[:, : each.shape[1]] += each
        return whole

    def _first_of_turns(self) -> Iterable[_Region]:
        """Where several take turns, the first, so that the same note has the same sound."""
        firsts: dict[tuple[int, int, int, int], _Region] = {}
        for region in self.regions:
            firsts.setdefault((region.low, region.high, region.softest, region.loudest), region)
        return firsts.values()


def _sections(text: str) -> Iterable[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines():
        rest = _COMMENT.sub("", line)
        pieces = _HEADER.split(rest)
        for at in range(0, len(pieces), 2):
            if at:
                found.append((pieces[at - 1], {}))
            if found:
                found[-1][1].update(_OPCODE.findall(pieces[at]))
    return found


def _region(folder: Path, told: Mapping[str, str]) -> _Region:
    sample = (folder / told["sample"].strip().replace("\\", "/")).resolve()
    if not sample.is_relative_to(folder.resolve()) or not sample.is_file():
        raise ValueError(f"sample={told['sample']} is no file in its folder")
    mode = told.get("loop_mode", "no_loop")
    looped = mode in ("loop_continuous", "loop_sustain")
    return _Region(
        sample=sample,
        low=int(told.get("lokey", 0)),
        high=int(told.get("hikey", 127)),
        center=int(told.get("pitch_keycenter", 60)),
        softest=int(told.get("lovel", 0)),
        loudest=int(told.get("hivel", 127)),
        tune_cents=float(told.get("tune", 0)),
        volume_db=float(told.get("volume", 0)),
        tracking=float(told.get("amp_veltrack", 100)) / 100,
        loop=(int(told["loop_start"]), int(told["loop_end"])) if looped else None,
        rings_out=mode == "one_shot",
        release_s=float(told.get("ampeg_release", 0.001)),
    )


def _played(region: _Region, pitch: int, velocity: int, held_s: float, rate: int, sustain: bool) -> Samples:
    sound, own = _read(region.sample)
    speed = 2 ** ((pitch - region.center + region.tune_cents / 100) / 12)
    if not region.rings_out:
        frames = round((held_s + region.release_s) * own * speed) + 1
        looped = region.loop or not sustain
        sound = _held(sound, region.loop, frames) if looped else sustained(sound, own, frames)
    heard = np.asarray(soxr.resample(sound.T, own * speed, rate), np.float32).T
    if not region.rings_out:
        after_s = np.arange(heard.shape[1]) / rate - held_s
        heard = heard[:, after_s <= region.release_s]
        fall = np.clip(after_s[: heard.shape[1]] / region.release_s, 0, 1)
        heard = heard * (10 ** (-_SILENT_DB / 20 * fall)).astype(np.float32)
    gain = 10 ** (region.volume_db / 20) * (velocity / 127) ** (2 * region.tracking)
    return heard * np.float32(gain)


def _held(sound: Samples, loop: tuple[int, int] | None, frames: int) -> Samples:
    """As long as that, by what may be repeated; no longer than it is where nothing may."""
    if loop is None:
        return sound[:, :frames]
    first, behind = loop[0], min(loop[1] + 1, sound.shape[1])
    if behind <= first:
        return sound[:, :frames]
    places = np.arange(frames)
    places = np.where(places < behind, places, first + (places - behind) % (behind - first))
    return sound[:, places]


@lru_cache(_KEPT)
def _read(path: Path) -> tuple[Samples, int]:
    """(2, frames), and its rate in Hz. Raises AudioError."""
    recording = Recording.open(path)
    sound = recording.read()
    stereo = sound[:2] if sound.shape[0] > 1 else np.repeat(sound, 2, axis=0)
    return stereo, recording.sample_rate
