"""Notes played by a plugin in DawDreamer. What is here runs in `plugin`'s process, which JUCE has for itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Samples

if TYPE_CHECKING:
    import dawdreamer

_BLOCK_FRAMES: Final = 512
_LONGEST_RELEASE_S: Final = 8.0
_TRIED_S: Final = 0.5
_MUTE: Final = 1e-5  # −100 dBFS: an effect may hiss
_SILENT: Final = 1e-4  # of the peak, −80 dB


@lru_cache(maxsize=1)
def _opened(
    path: Path, preset: Path | None, sample_rate: int
) -> tuple[dawdreamer.RenderEngine, dawdreamer.PluginProcessor]:
    """Raises AudioError."""
    import dawdreamer

    engine = dawdreamer.RenderEngine(sample_rate, _BLOCK_FRAMES)
    try:
        plugin = engine.make_plugin_processor("plugin", str(path))
    except RuntimeError as error:
        raise AudioError(f"{path.name}: cannot be loaded as a plugin ({error}); choose another") from error
    if preset is not None:
        load = {".vstpreset": plugin.load_vst3_preset, ".fxp": plugin.load_preset}.get(
            preset.suffix.lower(), plugin.load_state
        )
        # A state that is no file is passed over without a word.
        if not preset.is_file() or load(str(preset)) is False:
            raise AudioError(f"{preset.name}: cannot be loaded into {path.name}; choose another preset")
    engine.load_graph([(plugin, [])])
    return engine, plugin


def play_notes(
    path: Path, preset: Path | None, sample_rate: int, notes: Sequence[Note], frames: int
) -> Samples:
    """(2, frames), bends left out. Raises AudioError for a plugin or preset that cannot be loaded."""
    engine, plugin = _opened(path, preset, sample_rate)
    plugin.clear_midi()
    for note in notes:
        plugin.add_midi_note(note.pitch, note.velocity, note.onset_s, note.duration_s)
    engine.render((frames + 0.5) / sample_rate)  # rounds down
    heard = np.asarray(engine.get_audio(), np.float32)
    played = np.zeros((2, frames), np.float32)
    if len(heard):
        played[:, : heard.shape[1]] = (heard if len(heard) > 1 else np.repeat(heard, 2, axis=0))[:2, :frames]
    return played


def release_s(path: Path, preset: Path | None, sample_rate: int, pitch: int) -> float:
    """How long a note of that pitch sounds after its end. Raises AudioError, also where nothing sounds."""
    frames = round((_TRIED_S + _LONGEST_RELEASE_S) * sample_rate)
    tried = play_notes(path, preset, sample_rate, [Note(0.0, _TRIED_S, pitch, 100)], frames)
    level = np.abs(tried).max(axis=0)
    if not level.max() > _MUTE:
        raise AudioError(f"{path.name}: plays nothing; choose an instrument, or another preset")
    return max(0.0, float(np.flatnonzero(level > _SILENT * level.max())[-1] + 1) / sample_rate - _TRIED_S)
