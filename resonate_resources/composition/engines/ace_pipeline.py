"""ACE-Step 1.5 (arXiv 2602.00744) as diffusers has it, out of a hub's folder: text to music, and its stem tasks.

Stem tasks are those of the base checkpoint: the turbo and SFT ones were not trained on them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from resonate_resources.models.device import choose_device
from resonate_resources.models.hub_folder import settings_of, whole
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Samples

STEPS: Final = 50
"""Of the base checkpoint, as its authors have them; 7 is their guidance, and 3 the shift of times."""
GUIDANCE, SHIFT = 7.0, 3.0
LONGEST_S: Final = 600.0
SHORTEST_S: Final = 10.0
"""What it was trained on."""

Task = Literal["text2music", "extract", "lego"]


def folder_of(directory: Path) -> Path | None:
    """Of the folders that hold such a pipeline with a base checkpoint, that of the widest; None where none does."""
    widths = {}
    for index in sorted(directory.glob("*/model_index.json")):
        network = settings_of(index.parent / "transformer" / "config.json")
        base = not network.get("is_turbo") and network.get("model_version") in (None, "base")
        if settings_of(index).get("_class_name") == "AceStepPipeline" and base and weights_of(index.parent):
            widths[index.parent] = network.get("hidden_size", 0)
    return max(widths, key=lambda folder: widths[folder], default=None)


def weights_of(folder: Path) -> list[Path]:
    """All of its parts'."""
    return sorted(folder.glob("*/*.safetensors"))


@cache
def load(folder: Path) -> AcePipeline:
    """Once a process. Raises ModelError where the folder is not whole."""
    try:
        return AcePipeline(folder)
    except ModelError:
        raise
    except Exception as error:  # of diffusers, transformers, tokenizers or safetensors, which have their own
        raise ModelError(f"{folder}: can't be read ({str(error).splitlines()[0]})") from error


class AcePipeline:
    """rate: of its sound in Hz. step: frames of a latent."""

    def __init__(self, folder: Path) -> None:
        import diffusers
        import torch
        import transformers

        diffusers.utils.logging.set_verbosity_error()
        # As its authors have it on a GPU, the sound's network included.
        kind = torch.bfloat16 if choose_device().kind == "cuda" else torch.float32

        def part(network: Any, name: str) -> Any:
            return whole(network, folder / name, dtype=kind)

        self._pipeline = diffusers.AceStepPipeline(
            vae=part(diffusers.AutoencoderOobleck, "vae"),
            text_encoder=part(transformers.AutoModel, "text_encoder"),
            tokenizer=transformers.AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
            transformer=part(diffusers.AceStepTransformer1DModel, "transformer"),
            condition_encoder=part(diffusers.AceStepConditionEncoder, "condition_encoder"),
            # What the pipeline takes its own times through; some folders have none.
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
        )
        self._pipeline.set_progress_bar_config(disable=True)
        self._pipeline.vae.enable_tiling()
        self.rate = int(self._pipeline.sample_rate)
        self.step = int(self._pipeline.vae.hop_length)

    def generate(
        self,
        task: Task,
        text: str,
        seconds: float,
        metas: dict[str, Any],
        heard: Samples | None,
        track: str | None,
        told: Callable[[float], None],
    ) -> Samples:
        """(2, frames) at its rate, with peaks at −1 dBFS.

        metas: bpm, keyscale and timesignature. heard: (2, frames) of as many seconds, what a stem task listens to.
        track: in the words it was trained on, as "drums". Draws from torch's chance. Raises ModelError.
        """
        import torch

        def stepped(_: Any, step: int, __: float, kept: dict[str, Any]) -> dict[str, Any]:
            told((step + 1) / STEPS)
            return kept

        sound = self._pipeline(
            prompt=text,
            lyrics="" if track == "vocals" else "[Instrumental]",
            audio_duration=seconds,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            shift=SHIFT,
            generator=torch.Generator().manual_seed(int(torch.randint(2**31, ()))),
            task_type=task,
            track_name=track,
            src_audio=None if heard is None else torch.from_numpy(heard),
            callback_on_step_end=stepped,
            **metas,
        ).audios[0]
        made: Samples = sound.float().cpu().numpy()
        if not np.isfinite(made).all():
            raise ModelError("the model made no numbers: is it whole?")
        return made
