"""Regeneration's section of the brief."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, absolute, once
from resonate_resources.regeneration.facts import LONGEST_WISH

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
Instruments = Literal["auto", "all", "own", "soundfont", "faust", "plugin", "cloned"]
_PRESETS = frozenset({".vstpreset", ".fxp"})


@dataclass(frozen=True)
class Provided:
    """What a user has. soundfonts: none for the system's. plugins: each with its preset, or as it opens."""

    soundfonts: tuple[Path, ...] = ()
    plugins: tuple[tuple[Path, Path | None], ...] = ()


class RegenerationBrief(Section):
    """What plays the stems' notes."""

    instruments: Instruments = Field(
        default="auto",
        description="own: made from the stem itself; soundfont: General MIDI programs, clean and editable; faust: "
        "synthesisers; plugin: those of regeneration.plugins; all: of all of them what sounds most like the stem; "
        "auto: own, and all where there are none; cloned: by networks, where weights are",
    )
    stems: dict[StemName, str] = Field(
        default_factory=dict,
        description="what plays a stem, whatever else is asked: a kind or an instrument, as the stems' report "
        "(`regeneration.json`) names them",
    )
    keep: tuple[StemName, ...] = Field(
        default=(),
        strict=False,
        description="stems that stay the original's own, labelled as kept",
    )
    soundfonts: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="absolute paths of soundfonts (.sf2, .sf3) that may play, where soundfonts or all are asked "
        "for; none: the system's",
    )
    plugins: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="absolute paths of plugins (VST3 …) that may play, where plugins or all are asked for, each "
        "followed by its preset (.vstpreset, .fxp), if any",
    )

    rounds: int = Field(
        default=4,
        ge=0,
        le=100,
        description="how often the rebuilt track is judged and one decision of it changed, at most; what does not "
        "help is undone",
    )
    minutes: float = Field(
        default=10.0, gt=0, le=1440, description="rounds that would last longer than so many are not begun"
    )
    decisions: Literal["rules", "model"] = Field(
        default="rules", description="who decides: rules, or the language model that is set up for mixes"
    )
    wish: str = Field(
        default="",
        max_length=LONGEST_WISH,
        description=f"for the model, in words; at most {LONGEST_WISH} characters",
    )

    _once = field_validator("keep", "soundfonts")(once)

    @field_validator("soundfonts", "plugins")
    @classmethod
    def _are_places(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(absolute(place) for place in places if place)

    @field_validator("plugins")
    @classmethod
    def _begin_with_a_plugin(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        presets = [Path(place).suffix.lower() in _PRESETS for place in places]
        if any(preset and before for preset, before in zip(presets, [True, *presets], strict=False)):
            raise ValueError("a preset stands behind the plugin that it is for, one behind each")
        return places

    @property
    def provided(self) -> Provided:
        plugins: list[tuple[Path, Path | None]] = []
        for place in map(Path, self.plugins):
            if place.suffix.lower() in _PRESETS:
                plugins[-1] = (plugins[-1][0], place)
            else:
                plugins.append((place, None))
        return Provided(tuple(map(Path, self.soundfonts)), tuple(plugins))

    def wanted(self, stem: str) -> str:
        """A kind, an instrument's label, or one of instruments."""
        return next((named for name, named in self.stems.items() if name == stem), self.instruments)
