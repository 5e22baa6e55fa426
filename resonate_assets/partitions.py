"""The tracks partition; its keys are made by resonate_resources.ingestion.track_key."""

import dagster as dg

tracks = dg.DynamicPartitionsDefinition(name="tracks")
