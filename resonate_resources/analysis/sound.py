"""What was done to the sound of a track: pumping, room, delays, a voice held by a machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resonate_resources.analysis.analysis import Space
from resonate_resources.analysis.delay import hear_delay
from resonate_resources.analysis.robotic import HeldPitch, hear_held_pitch
from resonate_resources.analysis.space import hear_space
from resonate_resources.recordings.recording import Stems
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.pumping import Pumping, hear_pumping

_KEYED_BY = "drums"
_VOICE = "vocals"
_BASS = "bass"  # is kept dry, and rings for as long as it is held: it tells of no room


def pumping_of(stems: Stems, sounding: Sequence[str]) -> dict[str, Pumping]:
    """By stem, of those that pump at all."""
    strokes = kicks(stems[_KEYED_BY]) if _KEYED_BY in sounding else np.zeros(0)
    if not len(strokes):
        return {}
    heard = {name: hear_pumping(stems[name], strokes) for name in sounding if name != _KEYED_BY}
    return {name: found for name, found in heard.items() if found.confidence > 0}


def space_of(stems: Stems, sounding: Sequence[str]) -> Space:
    """The room, from all stems but the bass; delays, of all but drums and bass, whose strokes repeat themselves."""
    room = hear_space({name: stems[name] for name in sounding if name != _BASS})
    delays = {name: hear_delay(stems[name]) for name in sounding if name not in (_KEYED_BY, _BASS)}
    told = {name: found for name, found in delays.items() if found and found.confidence > 0}
    return Space(**vars(room), delays=told)


def held_pitch_of(stems: Stems, sounding: Sequence[str]) -> HeldPitch | None:
    """How the voice is held; None where there is none that holds notes."""
    return hear_held_pitch(stems[_VOICE]) if _VOICE in sounding else None
