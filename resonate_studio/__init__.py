"""The front door beside Dagster's web UI."""

import resonate_resources  # noqa: F401 — before numpy, whose threads it sets
