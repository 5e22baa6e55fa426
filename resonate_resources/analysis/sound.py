"""What was done to the sound of a track: pumping, room, delays, traces of generators and coders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from resonate_resources.analysis.analysis import Delay, HeldPitch, Pumping, Space, Traces
from resonate_resources.analysis.delay import hear_delay
from resonate_resources.analysis.robotic import hear_held_pitch
from resonate_resources.analysis.space import hear_space
from resonate_resources.signal.traces import find_traces
from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.pumping import hear_pumping

_KEYED_BY = "drums"
_VOICE = "vocals"
_BASS = "bass"  # is kept dry, and rings for as long as it is held: it tells of no room


def pumping_of(stems: Stems, sounding: Sequence[str]) -> dict[str, Pumping]:
    """By stem, of those that pump at all."""
    strokes = kicks(stems[_KEYED_BY]) if _KEYED_BY in sounding else np.zeros(0)
    if not len(strokes):
        return {}
    heard = {name: hear_pumping(stems[name], strokes) for name in sounding if name != _KEYED_BY}
    return {name: Pumping(**asdict(found)) for name, found in heard.items() if found.confidence > 0}


def space_of(stems: Stems, sounding: Sequence[str]) -> Space:
    """The room, from all stems but the bass; delays, of all but drums and bass, whose strokes repeat themselves."""
    room = hear_space({name: stems[name] for name in sounding if name != _BASS})
    delays = {name: hear_delay(stems[name]) for name in sounding if name not in (_KEYED_BY, _BASS)}
    told = {name: Delay(**asdict(found)) for name, found in delays.items() if found and found.confidence > 0}
    return Space(**asdict(room), delays=told)


def traces_of(track: Recording, stems: Stems, sounding: Sequence[str]) -> Traces:
    """Of the whole, and of how the voice is held."""
    held = hear_held_pitch(stems[_VOICE]) if _VOICE in sounding else None
    found = asdict(find_traces(track))
    return Traces(**found, held_pitch=None if held is None else HeldPitch(**asdict(held)))
