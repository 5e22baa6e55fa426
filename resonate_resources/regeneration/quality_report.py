"""What is read of a report of quality control."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Score = Field(ge=0, le=100, allow_inf_nan=False)


class Finding(BaseModel):
    """Of one dimension. start_s, end_s, band_hz, stem: where it is worst, as far as that can be told.

    change: signed, where it is told: of bpm_phase in ms, later is positive; of reverb in octaves, longer is
    positive; of stereo_width in dB, wider is positive.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float = Score
    detail: str = ""
    start_s: float | None = None
    end_s: float | None = None
    band_hz: tuple[float, float] | None = None
    stem: str | None = None
    change: float | None = Field(default=None, allow_inf_nan=False)


class QualityReport(BaseModel):
    """total: 100 for no difference, 0 for nothing in common. matched: nothing is left to be bettered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    total: float = Score
    accepted: bool
    matched: bool
    dimensions: dict[str, Finding]
