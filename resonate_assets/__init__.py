"""What exists, and from what it is made. Read it top to bottom."""

import warnings

import resonate_resources  # noqa: F401 — before numpy, whose threads it sets

# Checks of one partition are in preview in the pinned release of Dagster; without them one bad track blocks all.
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec")
