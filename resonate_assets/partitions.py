"""The tracks partition, whose keys are made by resonate_resources.ingestion.track_key."""

from functools import partial

import dagster as dg

from resonate_resources.ingestion.intake import Partitions

GROUP = "music"
"""One group: of several, the web UI shows boxes with nothing in them until each is opened."""

tracks = dg.DynamicPartitionsDefinition(name="tracks")


def partitions_of(instance: dg.DagsterInstance) -> Partitions:
    """The tracks of an instance, for what asks about some of them and should not read them all."""
    name = str(tracks.name)
    return Partitions(
        partial(instance.has_dynamic_partition, name), partial(instance.get_dynamic_partitions, name)
    )
