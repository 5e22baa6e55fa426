"""A track rebuilt as decided, again and again: of what was made before only that which changed is made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from filecmp import cmp
from itertools import count
from pathlib import Path

from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.regeneration.bus import bus_filter, hand_on
from resonate_resources.regeneration.decisions import Decisions
from resonate_resources.regeneration.stem import PreparedStem
from resonate_resources.signal.summing import sum_recordings

STEMS_AT_ONCE = 2  # as many as usual machines have cores to spare


@dataclass(frozen=True)
class Rebuilt:
    """played: matched, of two channels at their parts' rate. stems: as they are handed on, those that are kept
    among them."""

    played: Stems
    stems: Stems

    def same(self, other: Rebuilt) -> bool:
        """Whether not a bit differs."""
        return all(cmp(stem.path, other.stems[name].path, False) for name, stem in self.stems.items())


class Rebuilding:
    """prepared: what is played. originals: all stems of the track; those that are not played stay as they are.
    scratch: where what is played lies, until it is neither the latest nor what that was made from."""

    def __init__(self, prepared: Mapping[str, PreparedStem], originals: Stems, scratch: Path) -> None:
        self._prepared, self._originals, self._scratch = prepared, originals, scratch
        self._numbers = count()

    def rebuild(self, decisions: Decisions, parts: frozenset[str], before: Rebuilt | None) -> Rebuilt:
        """The track by those decisions. What is not among parts is taken from what was made before."""
        number = next(self._numbers)
        self._forget_all_but(before)
        names = [name for name in self._prepared if before is None or name in parts]
        played = dict(before.played) if before else {}
        played |= self._play(decisions, names, f"{number}.wav")
        return Rebuilt(played, self._handed_on(decisions, played, self._scratch / f"{number}"))

    def leave_out(self, decisions: Decisions, made: Rebuilt, path: Path) -> Recording | None:
        """Write the sum of what was made by those decisions, with no note played by its own recording; None where
        there is nothing to be summed."""
        names = [name for name, stem in self._prepared.items() if _copies(stem, decisions, name)]
        played = {**made.played, **self._play(decisions, names, "left_out.wav", leaving_out=True)}
        stems = self._handed_on(decisions, played, self._scratch / "left_out") if names else made.stems
        return sum_recordings(stems.values(), path) if stems else None

    def _play(
        self, decisions: Decisions, names: Iterable[str], ending: str, leaving_out: bool = False
    ) -> dict[str, Recording]:
        def play(name: str) -> Recording:
            leads = [each for each in decisions.transitions if each.stem == name]
            path = self._scratch / f"{name}.{ending}"
            return self._prepared[name].play(decisions.of(name), path, leaving_out, leads)

        names = list(names)
        with ThreadPoolExecutor(STEMS_AT_ONCE) as pool:
            return dict(zip(names, pool.map(play, names), strict=True))

    def _handed_on(self, decisions: Decisions, played: Stems, into: Path) -> Stems:
        """In the order of the originals, which are handed on where nothing was played."""
        into.mkdir()
        prepared = self._prepared
        taps = bus_filter(
            [prepared[name].part.recording for name in played], list(played.values()), decisions.bus_eq_db
        )
        return {
            name: hand_on(played[name], taps, original, prepared[name].loudness_lufs, into / f"{name}.wav")
            if name in played
            else original
            for name, original in self._originals.items()
        }

    def _forget_all_but(self, made: Rebuilt | None) -> None:
        if made is None:
            return
        needed = {recording.path for recording in (*made.played.values(), *made.stems.values())}
        ours = {stem.part.recording.path for stem in self._prepared.values()}
        for path in self._scratch.rglob("*.wav"):
            if path not in needed | ours:
                path.unlink()


def _copies(stem: PreparedStem, decisions: Decisions, name: str) -> bool:
    if not stem.compared:
        return False
    candidate = stem.chosen(decisions.of(name))
    return candidate.leaving_out is not candidate.instrument
