"""A look at the music libraries that RESONATE_LIBRARIES names. A job of an op: no asset comes of it, but a plan."""

from pathlib import Path

import dagster as dg

from resonate_assets.runs import BEATS
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.scanning import scan
from resonate_resources.storage.resource import StorageResource


@dg.op
def plan_libraries(context: dg.OpExecutionContext, storage: StorageResource, inbox: InboxResource) -> None:
    """Bring the plan of each library up to date; the sensor library_files then takes from it."""
    for place, library in inbox.known_libraries(storage.database):
        found = scan(place, library, [Path(folder) for folder in inbox.no_music])
        context.log.info(f"{place.uri}: {found.files} files, {found.read} of them new or changed")
        if found.own:
            context.log.info(f"{place.uri}: {found.own} files passed over, as Resonate made them")
        for problem in found.problems:
            context.log.warning(problem)


@dg.job(
    executor_def=dg.in_process_executor,
    tags=BEATS,
    description="Plans which files of the music libraries are to be made, and in which order.",
)
def scan_libraries() -> None:
    plan_libraries()
