"""What every file of a composition says of its origin: what made it, on what terms, from which words and seed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from resonate_resources.recipe import Json
from resonate_resources.recordings.tags import Tags


def told_of_file(report: Mapping[str, Any]) -> tuple[Tags, dict[str, Json]]:
    """Tags, and how it was made, of a file that holds the music."""
    facts: dict[str, Json] = {
        "label": report["label"],
        "engine": report["engine"]["name"],
        "model": report["engine"]["model"],
        "licence": report["engine"]["licence"],
        "seed": report["plan"]["seed"],
        "prompt": report.get("prompt") or None,
        **({"reference": report["reference"]["name"]} if report.get("reference") else {}),
    }
    return tags_of(report["title"], report), facts


def tags_of(title: str, report: Mapping[str, Any]) -> Tags:
    """report: composition.json, as `CompositionResource.generate` writes it."""
    plan, label, engine = report["plan"], report["label"], report["engine"]
    made_by = f"{engine['name']} {engine['model']}" if engine["model"] else engine["name"]
    words = f", from the words “{report['prompt']}”" if report.get("prompt") else ""
    like = f", in the style of {report['reference']['name']}" if report.get("reference") else ""
    comment = (
        f"{label[0].upper()}{label[1:]}: Resonate {version('resonate-studio')}, {made_by} "
        f"({engine['licence']}), seed {plan['seed']}{words}{like}"
    )
    return Tags(
        artist="Resonate",
        title=title,
        composer="Resonate",
        genre=plan["genre"].replace("_", " "),
        bpm=plan["bpm"],
        key=plan["key"],
        comment=comment,
    )
