"""Which instrument plays a part: the one that lies nearest to the stem once it is matched to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError
from resonate_resources.regeneration import additive, drum_hits, sampler
from resonate_resources.regeneration.comparison_excerpts import Excerpts
from resonate_resources.regeneration.faust import instrument_for
from resonate_resources.regeneration.instrument import Candidate, Part
from resonate_resources.regeneration.likeness import distance_db, mel_powers
from resonate_resources.regeneration.matching import levels_of, match


def fixed_voices(part: Part) -> Iterator[Candidate]:
    """The Faust voice of each stem, as it is."""
    instrument = instrument_for(part.stem, part.sample_rate)
    yield Candidate("faust", f"{part.stem} voice", "MIT", "synthesised", instrument, instrument)


KINDS: Final[Mapping[str, Callable[[Part], Iterable[Candidate]]]] = {
    "drum hits": drum_hits.candidates,
    "sampler": sampler.candidates,
    "additive": additive.candidates,
    "faust": fixed_voices,
}
"""What can play a part. Of parts that it can't play a kind has no candidates."""

_OWN: Final = ("drum hits", "sampler", "additive")


@dataclass(frozen=True)
class Compared:
    """distance_db: log-mel L1 to the stem, matched, with no note played by its own recording."""

    candidate: Candidate
    distance_db: float

    def told(self) -> dict[str, Json]:
        made = self.candidate
        return {
            "kind": made.kind,
            "label": made.label,
            "licence": made.licence,
            "source": made.source,
            "distance_db": round(self.distance_db, 2),
            "settings": dict(made.settings),
        }


def compared(part: Part, excerpts: Excerpts, wanted: str) -> list[Compared]:
    """All candidates of the kinds that are wanted, the nearest first; of equal distance as `KINDS` has them.

    wanted: one of the brief's `instruments`, a kind, or a candidate's label. Raises AudioError where nothing of
    that name can play the part.
    """
    kinds = [kind for kind in KINDS if wanted in ("auto", kind) or (wanted == "own" and kind in _OWN)]
    found = [made for kind in kinds or KINDS for made in KINDS[kind](part)]
    if not kinds:
        found = [made for made in found if made.label == wanted]
    if not found:
        raise AudioError(f"{part.stem}: no {wanted} can play it; set regeneration.instruments to auto")
    rate = part.sample_rate
    original = mel_powers(iter([excerpts.samples]), rate)
    levels = levels_of(iter([excerpts.samples]), rate, excerpts.edges)
    result = []
    for candidate in found:
        played = excerpts.played(candidate.leaving_out, part.notes)
        matched = match(levels, levels_of(iter([played]), rate, excerpts.edges), excerpts.edges, rate)
        result.append(
            Compared(candidate, distance_db(original, mel_powers(matched.applied(iter([played])), rate)))
        )
    return sorted(result, key=lambda one: one.distance_db)
