"""Half a minute of music whose stems, beats and sections are known: composed, or real and separated."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.signal.remains import remains_of_others
from resonate_tests.benchmarks.defects.playing import played
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import RATE, gain_to
from resonate_tests.benchmarks.music_truth.song import STEMS, Song

SECONDS = 30.0
_MASKED = 10 ** (-15 / 10)  # of the whole's power
_BAR_BEATS = 4  # where no downbeat was heard


@dataclass(frozen=True)
class Score:
    """The whole song, where in it the excerpt begins, and what each stem, as `playing.played` plays it, was
    multiplied with."""

    song: Song
    start_s: float
    gains: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Excerpt:
    """mix and stems: (channels, frames); composed stems sum to the mix, of separated ones those that are mere
    remains of others are left out. beats_s, downbeats_s and edges_s, between sections, from the excerpt's start.
    score: None where it was not composed."""

    name: str
    mix: Samples
    stems: Mapping[str, Samples]
    rate: int
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    edges_s: tuple[float, ...]
    score: Score | None

    @property
    def frames(self) -> int:
        return int(self.mix.shape[1])

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate

    @property
    def beat_s(self) -> float:
        """The median; half a second where there are no beats."""
        return float(np.median(np.diff(self.beats_s))) if len(self.beats_s) > 2 else 0.5

    def plays(self, stem: str) -> bool:
        """Whether that stem is there beside others, and not so soft that these mask it."""
        if stem not in self.stems or len(self.stems) < 2:
            return False
        return bool(np.mean(np.square(self.stems[stem])) > _MASKED * np.mean(np.square(self.mix)))

    def with_stem(self, name: str, samples: Samples) -> Samples:
        """The mix in which samples stand for that stem."""
        return self.mix - self.stems[name] + samples

    def chance(self, kind: str) -> np.random.Generator:
        """The same for the same excerpt and kind."""
        return np.random.default_rng(zlib.crc32(f"{self.name} {kind}".encode()))

    def bars(self, count: float) -> tuple[float, float]:
        """Start and end in seconds of that many bars about the middle, all of it where it has no more."""
        edges = np.array(self.downbeats_s if len(self.downbeats_s) > 3 else self.beats_s[::_BAR_BEATS])
        if count >= len(edges) - 1:
            return 0.0, self.duration_s
        first = max(0, min((len(edges) - int(count)) // 2, len(edges) - 1 - int(count)))
        return float(edges[first]), float(edges[first + int(count)])

    def frames_of(self, start_s: float, end_s: float) -> slice:
        return slice(round(start_s * self.rate), min(round(end_s * self.rate), self.frames))


def composed_excerpt(seed: int) -> Excerpt:
    """From the first section on in which every stem of the song plays. Mixed as the song's sound says."""
    song = compose(seed)
    start = _where_all_play(song)
    names = [stem for stem in STEMS if any(part.stem == stem for part in song.parts.values())]
    stems = {name: played(song, name, start, SECONDS) for name in names}
    gains = {name: gain_to(song.sound.balance_db[name], stem) for name, stem in stems.items()}
    peak = np.abs(sum((gains[name] * stem for name, stem in stems.items()), np.zeros(1))).max()
    level = 10 ** (song.sound.peak_dbfs / 20) / peak
    gains = {name: float(level * gain) for name, gain in gains.items()}
    stems = {name: np.asarray(gains[name] * stem, np.float32) for name, stem in stems.items()}

    def within(times: Iterable[float]) -> tuple[float, ...]:
        return tuple(t - start for t in times if start <= t < start + SECONDS)

    return Excerpt(
        name=f"{seed:03d}",
        mix=np.sum(list(stems.values()), axis=0, dtype=np.float32),
        stems=stems,
        rate=RATE,
        beats_s=within(song.beats_s),
        downbeats_s=within(song.downbeats_s),
        edges_s=tuple(t for t in within(s.start_s for s in song.sections) if t > 2),
        score=Score(song, start, gains),
    )


def _where_all_play(song: Song) -> float:
    """The downbeat from which all stems play within SECONDS, at a section's start if one will do."""
    latest = song.duration_s - SECONDS - 0.5
    starts = [s.start_s for s in song.sections] + list(song.downbeats_s)
    playing = {part.stem for part in song.parts.values()}

    def heard(start: float, seconds: float) -> int:
        return sum(any(start <= n.onset_s < start + seconds for n in song.notes(stem)) for stem in playing)

    fitting = [start for start in starts if start <= latest]
    # Within two bars as many as can be, then the first: sections stand before downbeats.
    return max(fitting, key=lambda start: heard(start, 5.0))


def real_excerpt(source: Path) -> Excerpt:
    """The first SECONDS of a file, its stems by the embedded engine, its grid as the profile hears it."""
    with TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        whole = decode(source, scratch).recording
        samples = whole.read(0, round(SECONDS * whole.sample_rate))
        mix = write_samples(scratch / "mix.wav", samples, whole.sample_rate)
        ProfilingResource().profile(mix, ProfileBrief(), scratch)
        profile = Profile.read(scratch / "profile.json")
        stems = SpectralSeparator().separate(mix, scratch, silent)
        remains = remains_of_others(stems)
        heard = {name: stem.read() for name, stem in stems.items() if name not in remains}
    return Excerpt(
        name=source.stem,
        mix=samples,
        stems=heard,
        rate=mix.sample_rate,
        beats_s=tuple(profile.beats_s),
        downbeats_s=tuple(profile.downbeats_s),
        edges_s=tuple(section.start_s for section in profile.sections[1:]),
        score=None,
    )
