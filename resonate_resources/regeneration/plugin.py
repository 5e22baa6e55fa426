"""Plugins of the user's, VST3 and whatever else DawDreamer loads on this system, as instruments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from resonate_resources.instruments.own_process import OwnProcess, ProcessLostError
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples
from resonate_resources.regeneration import plugin_player
from resonate_resources.regeneration.candidate import Candidate, Part

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_PATIENCE_S: Final = 120.0  # some scan their library when they open
_MARGIN: Final = 1.1
_HOST: Final = OwnProcess(_PATIENCE_S)


def candidates(part: Part, plugins: Sequence[tuple[Path, Path | None]]) -> Iterator[Candidate]:
    """Each plugin with its preset, or as it opens.

    Raises AudioError for one that is missing, crashes, hangs or is mute.
    """
    for path, preset in plugins if part.notes else ():
        instrument = Plugin(path, preset, part.sample_rate, part.notes)
        yield Candidate(
            kind="plugin",
            label=f"{path.stem}: {preset.stem}" if preset else path.stem,
            licence="not told",
            source=f"plugin {path.name}",
            instrument=instrument,
            leaving_out=instrument,
            settings={"plugin": str(path), "preset": str(preset) if preset else None},
        )


class Plugin:
    """A plugin in a process of its own. Notes do not bend. What it does by chance, or by a clock of its own,
    may differ from call to call."""

    def __init__(self, path: Path, preset: Path | None, sample_rate: int, notes: Sequence[Note]) -> None:
        """notes: what it is to play, at least one. How long the lowest rings is tried: of strings, the longest."""
        if not path.exists():
            raise AudioError(f"{path.name}: no such plugin; give the path of an installed one")
        self.sample_rate = sample_rate
        self._path, self._preset = path, preset
        lowest = min(note.pitch for note in notes)
        self._release_s = _MARGIN * self._hosted(plugin_player.release_s, path, preset, sample_rate, lowest)

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + self._release_s

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """Raises AudioError."""
        return self._hosted(
            plugin_player.play_notes, self._path, self._preset, self.sample_rate, notes, frames
        )

    def _hosted(
        self, work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        try:
            return _HOST.call(work, *arguments, **named)
        except ProcessLostError as error:
            raise AudioError(f"{self._path.name}: the plugin {error}; choose another") from error
