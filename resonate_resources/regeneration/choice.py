"""Which instrument plays a part: the one that lies nearest to the stem once it is matched to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError
from resonate_resources.regeneration import additive, drum_hits, faust_search, plugin, sampler, soundfont
from resonate_resources.regeneration.brief import Provided
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning.engines import ENGINES
from resonate_resources.regeneration.comparison_excerpts import Excerpts
from resonate_resources.regeneration.likeness import distance_db, mel_powers
from resonate_resources.regeneration.matching import levels_of, match


def _recorded(part: Part) -> Iterator[Candidate]:
    yield from drum_hits.candidates(part)
    yield from sampler.candidates(part)


KINDS: Final[Mapping[str, Callable[[Part], Iterable[Candidate]]]] = {
    "sampler": _recorded,
    "additive": additive.candidates,
    "soundfont": soundfont.candidates,
    "faust": faust_search.candidates,
    "plugin": partial(plugin.candidates, plugins=()),
    **ENGINES,
}
"""What can play a part, where nothing is provided. Of parts that it can't play a kind has no candidates; what lacks
a program or a file for it raises AudioError."""

_ASKED_FOR: Final[Mapping[str, Sequence[str]]] = {
    "all": [kind for kind in KINDS if kind not in ENGINES],
    "own": ("sampler", "additive"),
    "cloned": tuple(ENGINES),
}
"""Several kinds by one name. What is cloned is never compared unasked."""
_SPOKEN: Final[Mapping[str, str]] = {
    "all": "instrument",
    "own": "instrument of its own sounds",
    "cloned": "cloned instrument",
    "soundfont": "soundfont",
    "plugin": "plugin",
}
"""What a kind or several are called where there is none."""

NOTHING: Final = Provided()


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


def compared(
    part: Part, excerpts: Excerpts, wanted: str, provided: Provided = NOTHING
) -> tuple[list[Compared], list[str]]:
    """All candidates of the kinds that are wanted, the nearest first; and why a kind has none, a line each.

    wanted: one of the brief's `instruments`, a kind, or a candidate's label. Raises AudioError where nothing of
    that name can play the part.
    """
    found, missing = candidates_of(part, wanted, provided)
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
    return sorted(result, key=lambda one: one.distance_db), missing


def candidates_of(part: Part, wanted: str, provided: Provided = NOTHING) -> tuple[list[Candidate], list[str]]:
    """Those of all kinds that are wanted, as `compared` takes it, and why a kind has none, a line each. Raises
    AudioError where nothing is found."""
    if wanted == "auto":
        found, _ = _made(part, provided, _ASKED_FOR["own"], None)
        return (found, []) if found else candidates_of(part, "all", provided)
    kinds = [kind for kind in KINDS if wanted == kind or kind in _ASKED_FOR.get(wanted, ())]
    found, missing = _made(part, provided, kinds or _ASKED_FOR["all"], None if kinds else wanted)
    if not found:
        why = f" ({'; '.join(missing)})" if missing else ""
        spoken = _SPOKEN.get(wanted, f"{wanted} instrument" if kinds else f"instrument called {wanted}")
        raise AudioError(
            f"{part.stem}: no {spoken} can play it{why}; give a kind ({', '.join(KINDS)}), or what "
            "`regeneration.json` names as its candidates"
        )
    return found, missing


def may_play(kind: str, wanted: Iterable[str]) -> bool:
    """Whether candidates of a kind are made, where each of wanted is as `compared` takes it. What is named by none
    of the kinds' names may be a label of any kind."""
    return any(
        kind == name or kind in _ASKED_FOR.get(name, ()) or name not in (*KINDS, *_ASKED_FOR, "auto")
        for name in wanted
    )


def _made(
    part: Part, provided: Provided, kinds: Sequence[str], label: str | None
) -> tuple[list[Candidate], list[str]]:
    """The candidates of those kinds, of that label where one is given; and why a kind has none, a line each."""
    found: list[Candidate] = []
    missing: list[str] = []
    for kind in kinds:
        for candidates in _sources(kind, provided):
            try:
                found += [made for made in candidates(part) if label in (None, made.label)]
            except AudioError as error:
                missing.append(f"{kind}: {error}")
    return found, missing


def _sources(kind: str, provided: Provided) -> list[Callable[[Part], Iterable[Candidate]]]:
    """Of each soundfont and plugin that is provided one, so that what one lacks is no loss to the others."""
    if kind == "soundfont" and provided.soundfonts:
        return [partial(soundfont.candidates, asked_for=[path]) for path in provided.soundfonts]
    if kind == "plugin":
        return [partial(plugin.candidates, plugins=[each]) for each in provided.plugins]
    return [KINDS[kind]]
