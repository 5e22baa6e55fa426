"""The worker of the RoFormer, MDX-Net and VR models: run by a Python that has audio-separator, not resonate."""

from __future__ import annotations

import logging
import os
import sys
import types
from pathlib import Path

IDLE_SECONDS = 300.0


def main() -> None:
    # The one package of ours, from where this file is; not all that is installed beside it.
    package = types.ModuleType("resonate_resources")
    package.__path__ = [str(Path(__file__).parents[2])]
    sys.modules["resonate_resources"] = package

    for name in ("AUDIO_SEPARATOR_MODEL_DIR", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        os.environ.pop(name, None)
    os.environ["TQDM_DISABLE"] = "1"
    logging.basicConfig(level=logging.WARNING)

    from resonate_resources.models.audio_separator.work import SeparationWork
    from resonate_resources.models.workers.server import serve

    serve(sys.argv[1:], SeparationWork(), IDLE_SECONDS)


if __name__ == "__main__":
    main()
