"""What every file of a composition says of its origin: what made it, on what terms, from which words and seed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from resonate_resources.composition.sound.recorded_sounds import LICENCE as RECORDED_LICENCE
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
        **({"sounds": report["sounds"]} if report.get("sounds") else {}),
    }
    return tags_of(report["title"], report), facts


def sounds_told(instruments: Mapping[str, Mapping[str, Any]]) -> str:
    """Which parts a recording's own sounds play, and whose they are, in a line; "" where they play none.

    instruments: part → what plays it, as `Playing` has that.
    """
    played = {
        part: each["source"] for part, each in instruments.items() if each["licence"] == RECORDED_LICENCE
    }
    recordings = " and ".join(dict.fromkeys(played.values()))
    rights = "whoever holds the rights in it holds them in these"
    return f"{', '.join(played)}: sounds of {recordings}; {rights}" if played else ""


def tags_of(title: str, report: Mapping[str, Any]) -> Tags:
    """report: composition.json, as `CompositionResource.generate` writes it."""
    plan, label, engine = report["plan"], report["label"], report["engine"]
    made_by = f"{engine['name']} {engine['model']}" if engine["model"] else engine["name"]
    words = f", from the words “{report['prompt']}”" if report.get("prompt") else ""
    like = f", in the style of {report['reference']['name']}" if report.get("reference") else ""
    sounds = f". {report['sounds']}" if report.get("sounds") else ""
    comment = (
        f"{label[0].upper()}{label[1:]}: Resonate {version('resonate-studio')}, {made_by} "
        f"({engine['licence']}), seed {plan['seed']}{words}{like}{sounds}"
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
