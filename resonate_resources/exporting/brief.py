"""Exports' section of the brief."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from resonate_resources.brief.section import Section, once

if TYPE_CHECKING:
    from resonate_resources.exporting.sound_format import SoundFormat

Form = Literal["wav", "flac", "aiff", "mp3", "opus"]
"""By the ending of the file."""
Bits = Literal[16, 24, 32]

Part = Literal[
    "stems", "unrestored_stems", "regenerated_stems", "master", "restored_track", "generated_track", "midi"
]
PARTS: tuple[Part, ...] = ("stems", "master", "restored_track", "midi")
TargetName = Literal[
    "ableton",
    "dawproject",
    "ni_stems",
    "rekordbox",
    "serato",
    "multitrack_midi",
    "archive",
    "mirrored",
    "sfz",
]


class ExportsBrief(Section):
    """What is put into the track's folder, and for which programs."""

    parts: tuple[Part, ...] = Field(
        default=PARTS,
        strict=False,
        description="what goes into the folder: stems (restored), unrestored_stems (exact), regenerated_stems "
        "(played anew, and their sum), master, restored_track (where something was mended), "
        "generated_track (made anew, and blended, where restoration.mode asks for it), midi",
    )
    targets: tuple[TargetName, ...] = Field(
        default=(),
        strict=False,
        description="for which programs, too: ableton (Live set), dawproject, ni_stems, rekordbox, serato, "
        "multitrack_midi (with markers), archive (ZIP), mirrored (stems in the library's own folders), sfz "
        "(samplers of the stems' own sounds, and presets)",
    )
    stem_format: Form = Field(
        default="wav", description="of stems in the folder, the archive and the mirrored library"
    )
    stem_bits: Bits | None = Field(
        default=None,
        description="16, 24 (dithered), 32 (float; not in flac); null: the most that the format has",
    )
    stem_sample_rate: Literal[44_100, 48_000] | None = Field(
        default=None, description="in Hz; null: as it came"
    )
    ni_stems_codec: Literal["alac", "aac"] = Field(
        default="alac", description="alac is lossless; aac a third of its size, at four times the work"
    )

    _once = field_validator("parts", "targets")(once)

    @model_validator(mode="after")
    def _is_a_format(self) -> ExportsBrief:
        if self.stem_format == "flac" and self.stem_bits == 32:
            raise ValueError("flac has 16 or 24 bits: leave stem_bits out, or take wav")
        return self

    @property
    def sound(self) -> SoundFormat:
        """Of stems."""
        from resonate_resources.exporting.sound_format import SoundFormat

        most: Bits = 24 if self.stem_format == "flac" else 32
        return SoundFormat(self.stem_format, self.stem_bits or most, self.stem_sample_rate)

    @property
    def stems_as_they_are(self) -> bool:
        """Whether stems go into the folder as stages made them: WAV of 32 bits."""
        return (self.stem_format, self.stem_bits or 32, self.stem_sample_rate) == ("wav", 32, None)
