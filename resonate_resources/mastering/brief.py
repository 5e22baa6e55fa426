"""Mastering's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, absolute_or_object, once
from resonate_resources.mastering.targets import label_of, lufs_of
from resonate_resources.preset import Preset

Format = Literal["wav", "flac", "mp3", "m4a", "opus"]
FORMATS: tuple[Format, ...] = ("wav", "flac", "mp3", "m4a", "opus")


class MasteringBrief(Section):
    """How loud the master is to be, and in what files it is delivered."""

    preset: Preset = Field(
        default="balanced",
        description="how densely a rough recording is compressed: conservative not at all, aggressive with its "
        "highest peaks clipped. Finished music never is, unless compress says so",
    )
    compress: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="how much of the preset's compression the track gets, 0 to 1 (conservative has none); null: "
        "the more, the more it sounds like a phone's recording, and none for finished music",
    )
    target_lufs: float = Field(
        default=-14.0,
        ge=-36,
        le=-6,
        allow_inf_nan=False,
        description="integrated loudness in LUFS, −36 to −6 (streaming −14, broadcast −23, clubs −9)",
    )
    also: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="further targets, each of which gets a master of its own in all formats: spotify, youtube, "
        "apple, ebu-r128, club, or a loudness in LUFS, such as -9",
    )
    ceiling_dbtp: float = Field(
        default=-1.0,
        ge=-9,
        le=-0.5,
        allow_inf_nan=False,
        description="the most true peaks may be, in dBTP, −9 to −0.5",
    )
    limiting_db: float | None = Field(
        default=None,
        ge=0,
        le=24,
        allow_inf_nan=False,
        description="the most that peaks may be limited by, in dB, 0 to 24; a track that would need more comes out "
        "softer than its target. null: 3 for finished music, up to 6 for a rough recording, and less where "
        "limiting would hardly make it louder",
    )
    reference: str = Field(
        default="",
        description="a clean recording, by its absolute path or as s3://bucket/key, towards whose tone and width "
        "the track is moved",
    )
    reference_amount: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="how far towards the reference, 0 to 1",
    )
    sample_rate: Literal[44100, 48000] | None = Field(
        default=None,
        description="of the files, in Hz, 44100 or 48000; null: the track's own, or the nearer of them",
    )
    bits: Literal[16, 24, 32] = Field(
        default=24, description="of WAV and FLAC, 16 or 24, dithered; 32: float in the WAV, 24 in the FLAC"
    )
    formats: tuple[Format, ...] = Field(
        default=("wav", "flac", "mp3"),
        min_length=1,
        strict=False,
        description="files to deliver: wav, flac, mp3, m4a (AAC), opus; a WAV at the target is always made, as "
        "quality is judged by it",
    )

    _is_a_place = field_validator("reference")(absolute_or_object)

    @field_validator("also", mode="before")
    @classmethod
    def _as_text(cls, targets: object) -> object:
        """A TOML file or a person may well give numbers."""
        if isinstance(targets, (list, tuple)):
            return tuple(f"{each:g}" if isinstance(each, (int, float)) else each for each in targets)
        return targets

    @field_validator("also")
    @classmethod
    def _labels_once(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        return tuple({label_of(each): each.lower() for each in targets}.values())

    _once = field_validator("formats")(once)

    @property
    def targets(self) -> dict[str, float]:
        """Label → LUFS of each master; that of target_lufs is the first, and its label is empty."""
        return {"": self.target_lufs} | {label_of(each): lufs_of(each) for each in self.also}
