"""The time zone of whoever uses this machine: what "at night" means to the schedules.

TZ, where it is set, as for every program; else the machine's own (/etc/localtime, which systems keep as a link into
their zone database). Dagster's schedules take UTC where they are told nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo


def time_zone(environment: Mapping[str, str], localtime: Path) -> str:
    """The zone's name, such as Europe/Berlin; UTC where nothing tells one by name.

    Raises ValueError where TZ is set to what is no zone's name.
    """
    if told := environment.get("TZ", "").removeprefix(":"):
        if not _is_zone(told):
            raise ValueError(f"TZ={told}: is no time zone's name; set one such as TZ=Europe/Berlin")
        return told
    _, _, name = str(localtime.resolve()).partition("/zoneinfo/")
    return name if _is_zone(name) else "UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no relative name; a directory
        return False
    return True


TIME_ZONE = time_zone(os.environ, Path("/etc/localtime"))
