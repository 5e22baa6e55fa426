"""What a model in a worker makes of a recording, as long as it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Recording

NOTHING_HEARD = "nothing is heard in it"


@contextmanager
def made_of(
    recording: Recording,
    model: HubModel,
    file: str,
    job: Mapping[str, Json],
    beside: Path,
    progress: Progress,
) -> Iterator[Recording | None]:
    """The file that the model writes for a recording, in a folder beside another file, which goes afterwards; None
    where all of it is silent. Raises as `HubModel.run`."""
    with TemporaryDirectory(dir=beside.parent) as scratch:
        model.run(recording, Path(scratch), job, progress)
        made = Recording.open(Path(scratch) / file)
        yield made if any(block.any() for block in made.blocks()) else None
