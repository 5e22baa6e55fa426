"""A home without a graph."""

from resonate_tests.homes import files_lie_still, inbox, instance, storage

__all__ = ["files_lie_still", "inbox", "instance", "storage"]
