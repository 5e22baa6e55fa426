"""The profile of a track: what it is, in numbers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from resonate_resources.signal.sound_quality import Score
from resonate_resources.signal.traces import Comb, Cut, Hum


class Section(BaseModel):
    """A stretch of a track, in seconds; sections with the same label sound alike. name: by the plan of the track,
    None where there is none."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    label: str
    name: str | None = None


class TimeSignature(BaseModel):
    """Bars from start_s on: numerator notes of that denominator; 6/8 is felt as two beats, all else by its
    numerator."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    numerator: int
    denominator: int


class TempoPoint(BaseModel):
    """The mean tempo of the bar that begins at start_s, in beats a minute."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    bpm: float


class KeySpan(BaseModel):
    """A key that holds from start_s to end_s, in seconds.

    key: as musicians spell it, "Eb major". mode: the church mode at which its scale hints (dorian, phrygian,
    lydian, mixolydian); None of plain major and minor. confidence: 0…1, that the key is right.
    """

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    key: str
    mode: str | None
    confidence: float


class Loudness(BaseModel):
    """After ITU-R BS.1770 and EBU R 128, as `signal.loudness` has it; None of silence, and of what is shorter than
    a measure's window.

    plr_db: true peak over integrated loudness (AES TD1008), what is left of dynamics; crest_db: true peak over RMS.
    """

    model_config = ConfigDict(frozen=True)

    integrated_lufs: float | None
    range_lu: float
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    true_peak_dbtp: float | None
    plr_db: float | None
    crest_db: float | None


class Profile(BaseModel):
    """None is unknown: speech has no tempo, drums have no key, silence has no loudness, mono has no width.

    key is that of most of the track, as musicians spell it ("Eb major"); key_confidence is None where the brief
    says it. tuning_cents: of A4, from 440 Hz. width_db is side over mid power. octaves_db are levels at OCTAVES_HZ
    in dBFS, −140 at least; centroid_hz: the mean frequency of the power. second_tempo_bpm: what else the tempo
    may be. swing: where in a beat its second half begins, 0.5 straight, 0.67 in triplets. quality: how it sounds by
    itself, 0 to 100, see `signal.sound_quality`. From bandwidth_hz to over_steady_noise_db: see
    `signal.traces.Traces`. fingerprint: see `fingerprint`. methods: estimate → how it was made. Confidences are
    from 0 to 1.
    """

    model_config = ConfigDict(frozen=True)

    duration_s: float
    tempo_bpm: float | None
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...] = ()
    time_signatures: tuple[TimeSignature, ...] = ()
    tempo_curve: tuple[TempoPoint, ...] = ()
    second_tempo_bpm: float | None = None
    swing: float | None = None
    tempo_confidence: float = 0.0
    second_tempo_confidence: float = 0.0
    beats_confidence: float = 0.0
    downbeats_confidence: float = 0.0
    metre_confidence: float = 0.0
    key: str | None
    key_confidence: float | None = None
    keys: tuple[KeySpan, ...] = ()
    tuning_cents: float | None = None
    camelot: str | None
    open_key: str | None
    loudness: Loudness
    quality: Score
    bandwidth_hz: float
    cut: Cut
    cut_fits: tuple[str, ...]
    comb: Comb | None
    images_hz: tuple[float, ...]
    shimmer: float | None
    hum: Hum | None
    dc: tuple[float, ...]
    flat_tops: int
    rms_dbfs: float | None
    snr_db: float | None
    noise_floor_dbfs: float | None
    over_steady_noise_db: float | None
    centroid_hz: float | None
    octaves_db: tuple[float, ...]
    width_db: float | None
    width_by_band_db: dict[str, float | None]
    correlation: float | None
    sections: tuple[Section, ...]
    fingerprint: str | None
    methods: dict[str, str]
    hints: str = ""
    """What the brief says of the track in words."""

    @property
    def metre(self) -> str | None:
        """The time signature of most of it, "6/8"."""
        ends = [*(each.start_s for each in self.time_signatures[1:]), self.duration_s]
        lasting: defaultdict[str, float] = defaultdict(float)
        for each, end in zip(self.time_signatures, ends, strict=False):
            lasting[f"{each.numerator}/{each.denominator}"] += end - each.start_s
        return max(lasting, key=lambda metre: lasting[metre]) if lasting else None

    @classmethod
    def read(cls, path: Path) -> Profile:
        """Raises pydantic's ValidationError for a file that is no profile."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
