"""The engines there are, in each number of stems that they give, and what of this machine matters to them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from resonate_resources.recordings.recording import Recording
from resonate_resources.separation.audio_separator import MODELS, AudioSeparator
from resonate_resources.separation.composed import Merged, VocalsFirst
from resonate_resources.separation.demucs.engine import DemucsSeparator, Model
from resonate_resources.separation.lalal.engine import LalalSeparator
from resonate_resources.separation.router import EngineFacts, Machine
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.storage.pools import Pool

_MODEL_MEBIBYTES = 4000
"""Free GPU memory that a model and one chunk of audio take."""
_PROBE_SECONDS = 5.0


_STEMS: tuple[Literal[4, 6], ...] = (4, 6)


@dataclass(frozen=True)
class Offer:
    """An engine with one of its models, giving so many stems. make: a separator, with nothing loaded yet."""

    name: str
    model: str | None
    stems: int
    make: Callable[[], Separator]

    @property
    def pool(self) -> Pool:
        """What it needs while it works: a service works elsewhere, a model fills a GPU or all of a processor."""
        if self.name == "lalal":
            return "cloud"
        return "cores" if self.name == "spectral" else "gpu"

    @property
    def label(self) -> str:
        """As people name it: name, or name:model."""
        return self.name if self.model is None else f"{self.name}:{self.model}"

    def facts(self, track: Recording | None = None) -> EngineFacts:
        """What the router goes by. Without a track the cost is left out."""
        separator = self.make()
        cost = separator.estimate_minutes(track) if track and isinstance(separator, LalalSeparator) else 0.0
        return EngineFacts(self.name, self.model, self.stems, separator.available(), cost)


def offers(database: str) -> list[Offer]:
    """Everything that could separate a track, the best model of an engine first. database: of paid minutes."""
    return [*_demucs(), *_roformer(), *_uvr(), *_lalal(database), *_spectral()]


def why_unknown(name: str) -> str | None:
    """Why a name is that of no engine, or of no model of it, in one line; None for `auto` and those there are."""
    known = {each for offer in offers("") for each in (offer.name, offer.label)}
    if name == "auto" or name in known:
        return None
    if models := [offer.label for offer in offers("") if offer.model == name]:
        return f"is a model, not an engine; give {models[0]}"
    names = ", ".join(dict.fromkeys(offer.name for offer in offers("")))
    return f"is no engine; there are auto, {names}, and models of them (`resonate engines`)"


def look_at_machine() -> Machine:
    """A GPU with room for a model, by what its driver tells, and the load of the last minute."""
    return Machine(_free_gpu_mebibytes() >= _MODEL_MEBIBYTES, os.getloadavg()[0] / (os.cpu_count() or 1))


def _demucs() -> Iterator[Offer]:
    models: tuple[Model, ...] = ("htdemucs_ft", "htdemucs")
    for model in models:
        make = partial(DemucsSeparator, model)
        yield Offer("demucs", model, 4, make)
        yield Offer("demucs", model, 2, partial(_merged, make))
    yield Offer("demucs", "htdemucs_6s", 6, partial(DemucsSeparator, "htdemucs_6s"))


def _roformer() -> Iterator[Offer]:
    """Most RoFormers are for vocals; one parts everything, by itself."""
    for stems in _STEMS:
        for model in MODELS["roformer", stems]:
            yield Offer("roformer", model, stems, partial(AudioSeparator, "roformer", model, stems))
    for model in MODELS["roformer", 2]:
        make = partial(AudioSeparator, "roformer", model, 2)
        yield Offer("roformer", model, 2, make)
        yield Offer("roformer", model, 4, partial(_vocals_first, make))


def _uvr() -> Iterator[Offer]:
    for model in MODELS["uvr", 2]:
        make = partial(AudioSeparator, "uvr", model, 2)
        yield Offer("uvr", model, 2, make)
        yield Offer("uvr", model, 4, partial(_vocals_first, make))


def _lalal(database: str) -> Iterator[Offer]:
    yield Offer("lalal", None, 2, partial(LalalSeparator, database, stems=2))
    yield Offer("lalal", None, 4, partial(LalalSeparator, database, stems=4))


def _spectral() -> Iterator[Offer]:
    yield Offer("spectral", None, 4, SpectralSeparator)
    yield Offer("spectral", None, 2, partial(_merged, SpectralSeparator))


def _merged(make: Callable[[], Separator]) -> Separator:
    return Merged(make())


def _vocals_first(make: Callable[[], Separator]) -> Separator:
    """The other stems by a model where one can run, else by the embedded engine."""
    demucs = DemucsSeparator("htdemucs")
    return VocalsFirst(make(), SpectralSeparator() if demucs.available() else demucs)


def _free_gpu_mebibytes() -> int:
    """By the driver's own tool: to ask torch would take seconds of importing."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        query = [tool, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
        told = subprocess.run(query, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True)
        return max((int(line) for line in told.stdout.split()), default=0)
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0
