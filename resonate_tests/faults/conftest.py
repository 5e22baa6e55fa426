"""Hosts and servers that fail: minutes of waiting, which `make faults` takes and `make test` does not."""

from resonate_tests.e2e.conftest import free_port

__all__ = ["free_port"]
