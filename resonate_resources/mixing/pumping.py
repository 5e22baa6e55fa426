"""Whether music pumps, for a mix of stems that were played anew and do not any more."""

from __future__ import annotations

from resonate_resources.mixing.plan import Ducking
from resonate_resources.recordings.recording import Stems
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.pumping import hear_pumping

KEY = "drums"
PUMPED = ("bass", "other")


def pumping(stems: Stems) -> Ducking | None:
    """How the stems of a track pump, for a plan whose stems do not any more; None where they don't either.

    For who mixes regenerated stems: they are played anew, without the ducking that was part of the original's
    sound. Listen to the **original's** stems, and put what is returned into the plan for the new ones; `mix_stems`
    keys it by the drums that it is given. Depths are made smaller by what is not certain.
    """
    if KEY not in stems:
        return None
    strokes = kicks(stems[KEY])
    heard = {name: hear_pumping(stems[name], strokes) for name in PUMPED if name in stems}
    depths = {name: each.depth_db * each.confidence for name, each in heard.items() if each.confidence > 0}
    if not depths:
        return None
    whole = sum(depths.values())
    release_s = sum(heard[name].release_s * depth for name, depth in depths.items()) / whole
    return Ducking(depths_db=depths, release_s=release_s, key=KEY)
