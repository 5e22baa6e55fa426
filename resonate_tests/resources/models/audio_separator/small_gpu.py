"""The worker, as if it had a GPU with room for batches of $ROOM pieces (−1: not for the model either).

With $LOWERED it has units for float16, too. Run by the worker's Python. The processor does what the GPU would, the
errors are torch's own. What was asked for is written to standard output, which is the worker's log.
"""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import torch

ROOM = int(os.environ["ROOM"])
BATCH = 4
"""Of the model, in place of what its yaml says."""


def main() -> None:
    package = types.ModuleType("resonate_resources")
    package.__path__ = [str(Path(__file__).parents[4] / "resonate_resources")]
    sys.modules["resonate_resources"] = package
    os.environ["TQDM_DISABLE"] = "1"

    from resonate_resources.models.audio_separator import work
    from resonate_resources.models.workers.server import serve

    loaded = work.load_model

    def load_model(name: str, directory: Path, roformer: bool, device: str = "best") -> Any:
        print(f"load for {device}", flush=True)
        if device == "cpu":
            make_room()
            return loaded(name, directory, roformer, "cpu")
        if ROOM < 0:
            fill_up_while_loading()
        model = loaded(name, directory, roformer)
        model.batch = BATCH
        model.separate = exhausting(model, model.separate)
        return model

    def fill_up_while_loading() -> None:
        """The package takes any RuntimeError for a broken file: it ends the process, or, for a RoFormer, tries
        another way and then keeps the words alone."""
        from audio_separator.separator.architectures.mdxc_separator import TFC_TDF_net
        from audio_separator.separator.uvr_lib_v5.roformer.mel_band_roformer import MelBandRoformer

        def to(self: Any, device: Any) -> Any:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

        TFC_TDF_net.to = MelBandRoformer.to = to

    def make_room() -> None:
        from audio_separator.separator.architectures.mdxc_separator import TFC_TDF_net
        from audio_separator.separator.uvr_lib_v5.roformer.mel_band_roformer import MelBandRoformer

        TFC_TDF_net.to = MelBandRoformer.to = torch.nn.Module.to

    work.load_model = load_model
    if "LOWERED" in os.environ:
        work.lower_precision = lambda device: "cpu"
    serve(sys.argv[1:3], work.SeparationWork(), 60.0)


def exhausting(model: Any, separate: Any) -> Any:
    """Runs out of memory from the second chunk of the track on."""
    chunks = []

    def run(mix: Any, level: float) -> Any:
        chunks.append(mix)
        if len(chunks) > 1 and model.batch > ROOM:
            print(f"no room for {model.batch}", flush=True)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return separate(mix, level)

    return run


if __name__ == "__main__":
    main()
