"""A band given back by AudioSR, a diffusion network that makes up what was above it, in a worker of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resonate_resources.models.weights import ModelFile
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import AUDIOSR
from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import Progress, Recording, write_blocks
from resonate_resources.restoration.audiosr.work import VERSION
from resonate_resources.restoration.band_splice import spliced
from resonate_resources.restoration.by_worker import NOTHING_HEARD, made_of
from resonate_resources.restoration.step import Facts, Mended, StepName

WEIGHTS = ModelFile("https://huggingface.co/haoheliu/audiosr_basic/resolve/main/pytorch_model.bin", "")
"""Its authors publish no hash."""
WORKER = Worker(AUDIOSR, f"{__package__}.work.ExtensionWork")

_WIDE_HZ = 15_000.0
"""A recording that reaches as far is left as it is: little is missed above."""
_NATURAL_HZ = 10_000.0
"""A track whose spectrum falls off by itself lacks something where it ends below. Of nine finished recordings in
MP3 the four that do end at 12.6 to 15.5 kHz; stems end by themselves anywhere."""
_NARROWEST_HZ = 2000.0
"""The network was trained with 2 to 16 kHz (arXiv 2309.07314)."""
_SLOPE = 0.97
"""Of the bandwidth, where the network takes over: what ends there falls before."""
_LEAST_GAIN_HZ = 500.0
"""Under half the rate, for there to be anything to give back."""
_LEVEL_DB: dict[Preset, float] = {"conservative": -6.0, "balanced": -3.0, "aggressive": 0.0}
"""Of what is made up, by judgement: what is not there is missed less than what is wrong is heard."""


class AudioSR:
    """`extend`. What is made up is added above the band; the recording itself stays."""

    name: StepName = "extend"

    def __init__(self, steps: int = 50) -> None:
        """steps: of the sampler for 5 s of a channel, a divisor of 1000; AudioSR's command line takes 50."""
        self._steps = steps
        self._model = HubModel("audiosr", WORKER, (WEIGHTS,))

    @property
    def engine(self) -> Engine:
        return Engine("audiosr", "haoheliu/audiosr_basic", "MIT (code); none known for the weights")

    @property
    def settings(self) -> dict[str, Json]:
        return {
            "audiosr": VERSION,
            "steps": self._steps,
            "weights_sha256": self._model.weights_sha256(),
        }

    def unavailable(self) -> str | None:
        return self._model.unavailable()

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """The network (6 GB) is fetched at first use. Raises ModelError where that can't be had, AudioError."""
        band = facts.traces.bandwidth_hz
        cut_hz = _SLOPE * band
        is_cut = facts.traces.cut in ("brick wall", "phone band")
        lacks = band < _WIDE_HZ if is_cut or preset == "aggressive" else _falls_short(facts)
        if not lacks or cut_hz + _LEAST_GAIN_HZ >= recording.sample_rate / 2:
            return Mended(recording, f"its band, up to {band / 1000:.1f} kHz, is left as it is")
        if cut_hz < _NARROWEST_HZ:
            return Mended(recording, f"its band, up to {band / 1000:.1f} kHz, is too narrow to go by")
        job: dict[str, Json] = {
            "weights": str(self._model.directory / WEIGHTS.name),
            "cut_hz": cut_hz,
            "steps": self._steps,
        }
        with made_of(recording, self._model, "made.wav", job, path, progress) as made:
            if made is None:
                return Mended(recording, NOTHING_HEARD)
            gain = np.float32(10 ** (_LEVEL_DB[preset] / 20))
            turned = (gain * block for block in made.blocks())
            blocks = spliced(recording.blocks(), turned, cut_hz, recording.sample_rate)
            mended = write_blocks(path, blocks, like=recording)
        return Mended(mended, f"what was above {cut_hz / 1000:.1f} kHz made up", {"extend_cut_hz": cut_hz})


def _falls_short(facts: Facts) -> bool:
    return facts.kind == "track" and facts.traces.bandwidth_hz < _NATURAL_HZ
