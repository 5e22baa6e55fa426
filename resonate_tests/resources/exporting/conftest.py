"""What tests of several targets share."""

from resonate_tests.resources.exporting.dawproject_reading import dawproject_npm

__all__ = ["dawproject_npm"]
