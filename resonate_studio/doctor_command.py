"""`resonate doctor`: what is configured, what can be reached, what is missing, and what will run where."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from resonate_studio.terminal import HOME, JSON, Command, console, print_json

_SIGNS = {"ok": "✓", "off": "·", "broken": "✗"}


@click.command(cls=Command)
@HOME
@JSON
def doctor(home: Path | None, as_json: bool) -> None:
    """What this installation is made of, whether each part can be reached, and what will run where. Exit code 1
    where something that it needs is broken."""
    from rich.markup import escape

    from resonate_studio.doctor import examine
    from resonate_studio.home import settings_for

    found = []
    terminal = console(quiet=as_json)
    for finding in examine(settings_for(home)):
        found.append(finding)
        if not as_json:
            line = f"{_SIGNS[finding.state]} {finding.part}: {finding.told}"
            terminal.print(escape(line), soft_wrap=True)
    healthy = all(finding.state != "broken" for finding in found)
    if as_json:
        print_json({"healthy": healthy, "findings": [asdict(finding) for finding in found]})
    sys.exit(0 if healthy else 1)
