"""Who does each step: the best first, an embedded one last."""

from __future__ import annotations

from collections.abc import Sequence

from resonate_resources.restoration.audiosr.step import AudioSR
from resonate_resources.restoration.comb import Decomb
from resonate_resources.restoration.declick import Declick
from resonate_resources.restoration.declip import Declip
from resonate_resources.restoration.deepfilternet import DeepFilterNet
from resonate_resources.restoration.deess import Deess
from resonate_resources.restoration.dehum import Dehum
from resonate_resources.restoration.denoise import Denoise
from resonate_resources.restoration.dereverb import Dereverb
from resonate_resources.restoration.derumble import Derumble
from resonate_resources.restoration.dewow import Dewow
from resonate_resources.restoration.extend import Extend
from resonate_resources.restoration.fill import Fill
from resonate_resources.restoration.glitter import Deshimmer
from resonate_resources.restoration.multiband_diffusion.step import MultiBandDiffusion
from resonate_resources.restoration.roformer import Roformer
from resonate_resources.restoration.step import Step, StepName
from resonate_resources.restoration.tone import Tone

_MODELS: dict[StepName, tuple[Step, ...]] = {
    "denoise": (Roformer("denoise"), DeepFilterNet()),
    "dereverb": (Roformer("dereverb"),),
    "extend": (AudioSR(),),
    "polish": (MultiBandDiffusion(),),
}
_EMBEDDED: dict[StepName, Step] = {
    "declip": Declip(),
    "declick": Declick(),
    "dehum": Dehum(),
    "dewow": Dewow(),
    "denoise": Denoise(),
    "derumble": Derumble(),
    "dereverb": Dereverb(),
    "decomb": Decomb(),
    "deshimmer": Deshimmer(),
    "deess": Deess(),
    "fill": Fill(),
    "tone": Tone(),
    "extend": Extend(),
}
"""Without any model that is not in the base installation."""

MODULES = tuple(sorted({type(each).__module__ for each in (*sum(_MODELS.values(), ()), *_EMBEDDED.values())}))
"""Whose constants and libraries a result is made by."""


def engines_of(step: StepName, embedded: bool = False) -> Sequence[Step]:
    """embedded: without models. Of some steps there are none then."""
    ours = (_EMBEDDED[step],) if step in _EMBEDDED else ()
    return ours if embedded else (*_MODELS.get(step, ()), *ours)
