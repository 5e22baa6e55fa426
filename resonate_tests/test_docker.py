"""The container files name what is there: no Docker engine runs in the tests, so this is what can be held."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).parents[1]
DOCKER = REPOSITORY / "docker"


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return found


def instructions(keyword: str) -> list[str]:
    """The arguments of every such instruction in the Dockerfile."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    return [
        line.removeprefix(keyword).strip() for line in text.splitlines() if line.startswith(keyword + " ")
    ]


def test_every_file_that_goes_into_the_image_is_there_and_not_ignored() -> None:
    sources = [source for copied in instructions("COPY") for source in shlex.split(copied)[:-1]]
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    kept = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    assert ignore[0] == "*"
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert any(name == source or name.startswith(f"{source}/") for name in kept), source


def test_every_variable_that_the_instance_wants_is_given_to_each_service_of_ours() -> None:
    wanted = set(re.findall(r"env: (\w+)", (DOCKER / "dagster.yaml").read_text()))
    assert len(wanted) == 5
    ours = [service for service in services().values() if service["image"] == "resonate"]
    assert len(ours) == 3
    for service in ours:
        assert wanted <= {name for name, value in service["environment"].items() if value}


def test_every_command_is_a_program_of_the_install() -> None:
    commands = [service["command"][0] for service in services().values() if "command" in service]
    commands += re.findall(r'^\["([\w-]+)"', "\n".join(instructions("CMD")), re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert Path(sys.executable).with_name(command).exists(), command


def test_nothing_starts_before_the_tables_are_there_and_every_volume_is_declared() -> None:
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    for name in ("webserver", "daemon"):
        assert compose["services"][name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"}
        }
    mounted = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service["volumes"]
        if volume[0].isalpha()
    }
    assert mounted == set(compose["volumes"])


def test_the_web_ui_is_published_on_the_loopback_address_only() -> None:
    published = [port for service in services().values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:3000:3000"]
