"""Run by a worker's Python, which has the packages of its models, not resonate: `program.py SOCKET SECONDS WORK`.

WORK: the dotted name of a class of ours without arguments, whose instances are `Work`.
"""

from __future__ import annotations

import importlib
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
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("resonate_resources").setLevel(logging.INFO)

    from resonate_resources.models.workers.server import serve

    *arguments, work = sys.argv[1:]
    module, _, name = work.rpartition(".")
    serve(arguments, getattr(importlib.import_module(module), name)(), IDLE_SECONDS)


if __name__ == "__main__":
    main()
