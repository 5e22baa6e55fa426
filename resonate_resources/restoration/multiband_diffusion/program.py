"""MultiBandDiffusion's worker: run by a Python that has audiocraft, not resonate."""

from __future__ import annotations

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
    os.environ["TQDM_DISABLE"] = "1"

    from resonate_resources.models.workers.server import serve
    from resonate_resources.restoration.multiband_diffusion.work import PolishingWork

    serve(sys.argv[1:], PolishingWork(), IDLE_SECONDS)


if __name__ == "__main__":
    main()
