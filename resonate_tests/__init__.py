import resonate_resources  # noqa: F401 — before numpy, whose threads it sets
