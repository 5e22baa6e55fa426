"""How the sound of an export came to be: every stage that it stands on, by whom, by which weights, on what terms.

Goes beside every file that leaves, and into its tags where the format has room.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from resonate_resources.recipe import Json
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.sources import Source

GENERATIVE = frozenset({"audiosr", "multiband-diffusion"})
"""Engines whose model makes sound that was not in the recording."""
CLONED = frozenset({"livesynth", "tokensynth", "rave", "ddsp"})
"""Kinds of instruments of rebuilt stems of which the same is true."""
TAG = "PROVENANCE"
"""Key of what is told in tags, as JSON."""
_GENERATED, _COMPOSITION = "generated_stems", "composition.json"
_ANEW = "generated_track"
_RESTORATION = "restoration.json"
_REGENERATION = "regeneration.json"
# Suno writes "made with suno" into its files' comments.
_SAYS_SO = re.compile(r"\b(suno|udio|ai[- ]generated|generated (?:by|with) ai)\b", re.IGNORECASE)
# cv.iptc.org/newscodes/digitalsourcetype: made by a model; put together of what was and of what was not; by rules
# that no data trained.
_MADE, _IN_PART, _BY_RULES = (
    f"http://cv.iptc.org/newscodes/digitalsourcetype/{name}"
    for name in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
)


@dataclass(frozen=True)
class Provenance:
    """sha256: of the file that came in. stages: stage → what it was made by, from the last one back. generated: why
    the sound is told to be generated, in whole or in part, one line each; none where it is not."""

    track: str
    sha256: str
    stages: Mapping[str, Json]
    generated: tuple[str, ...]
    source_generated: bool = False

    @property
    def composed(self) -> Mapping[str, Any]:
        """Of a track that was composed from words: label, seed, prompt; nothing of others."""
        told = self.stages.get(_GENERATED)
        return told.get("composed", {}) if isinstance(told, dict) else {}  # type: ignore[return-value]

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {
            "resonate": version("resonate-studio"),
            "track": self.track,
            "source_sha256": self.sha256,
            "ai_generated": bool(self.generated),
        }
        if self.generated:
            told["ai_generated_because"] = list(self.generated)
            told["digital_source_type"] = _MADE if self.source_generated else _IN_PART
        elif self.composed:
            told["digital_source_type"] = _BY_RULES
        return {**told, "stages": dict(self.stages)}

    def text(self) -> str:
        """In one line, for a tag."""
        return json.dumps(self.to_json(), ensure_ascii=True, separators=(",", ":"))

    def sentence(self) -> str:
        """For a person, in a comment: without restoration where no step of it was kept."""
        sound = (
            "generated_stems" if self.composed else "stems",
            "restored_track",
            "restored_stems",
            "master",
        )
        by = [
            f"{stage.replace('_', ' ')} by {told['model'] or told['engine']}"
            for stage in sound
            if isinstance(told := self.stages.get(stage), dict) and told.get("steps") != []
        ]
        generated = (
            f"AI-generated in part ({'; '.join(self.generated)})"
            if self.generated
            else self.composed.get("label", "not told to be AI-generated")
        )
        if self.source_generated:
            generated = f"AI-generated ({self.generated[0]})"
        return f"Made by Resonate {version('resonate-studio')}: {', '.join(by)}; {generated}"

    def tags(self) -> dict[str, str]:
        """What a file's tags are told beyond those of the music."""
        return {TAG: self.text()}


def provenance_of(source: Source, tags: Tags, made: Sequence[Artefact], artefacts: Artefacts) -> Provenance:
    """Of what is made from these artefacts. tags: of the file that came in, which may say that it was generated."""
    stages: dict[str, Json] = {}
    generated: list[str] = []
    says = [text for text in (tags.comment, tags.copyright, tags.artist) if text and _SAYS_SO.search(text)]
    if says:
        generated.append(f"the file's own tags say so: {says[0]}")
    for artefact in _standing_on(made, artefacts):
        stage = artefact.manifest.stage
        steps, rebuilt = _steps(artefact), _rebuilt(artefact)
        stages[stage] = _told(artefact, steps, rebuilt)
        generated += [
            f"{stage}: {step['of']}, {step['step']} by {step['engine']}"
            for step in steps
            if step["engine"] in GENERATIVE
        ]
        generated += [
            f"{stage}: {stem}, played by {by['by']}" for stem, by in rebuilt.items() if by["kind"] in CLONED
        ]
        if stage == _ANEW and artefact.manifest.measures.get("generated") is True:
            generated.append(f"{stage}: made by {artefact.manifest.engine.model}")
    return Provenance(source.track, source.sha256, stages, tuple(dict.fromkeys(generated)), bool(says))


def _standing_on(made: Sequence[Artefact], artefacts: Artefacts) -> Iterator[Artefact]:
    """These, and all that they were made from, each once; wishes are no sound."""
    waiting = list(made)
    seen = {"brief"}
    while waiting:
        artefact = waiting.pop(0)
        if artefact.manifest.stage in seen:
            continue
        seen.add(artefact.manifest.stage)
        yield artefact
        track = artefact.manifest.track
        before = (
            artefacts.current(stage, track) for stage in artefact.manifest.made_from if stage not in seen
        )
        waiting += filter(None, before)


def _told(
    artefact: Artefact, steps: Sequence[Mapping[str, Json]], rebuilt: Mapping[str, Mapping[str, Json]]
) -> dict[str, Json]:
    """settings: all that the stage was asked by, seeds and hashes of weights included. rebuilt: stem → what
    plays it anew."""
    manifest = artefact.manifest
    told: dict[str, Json] = {
        "engine": manifest.engine.name,
        "model": manifest.engine.model,
        "licence": manifest.engine.licence,
        "settings": manifest.recipe.get("settings"),
        "code_version": manifest.code_version,
        "data_version": manifest.data_version,
    }
    if _RESTORATION in manifest.files:
        told["steps"] = [dict(step) for step in steps]
    if manifest.stage == _GENERATED and _COMPOSITION in manifest.files:
        report = artefact.read_json(_COMPOSITION)
        told["composed"] = {
            "label": report["label"],
            "seed": report["plan"]["seed"],
            "prompt": report.get("prompt") or None,
            **({"reference": report["reference"]["name"]} if report.get("reference") else {}),
            **({"sounds": report["sounds"]} if report.get("sounds") else {}),
        }
    if rebuilt:
        told["rebuilt"] = {stem: dict(by) for stem, by in rebuilt.items()}
    return told


def _rebuilt(artefact: Artefact) -> dict[str, dict[str, Json]]:
    """Stem → what plays it anew, on what terms; those that are kept are the original's."""
    if _REGENERATION not in artefact.manifest.files:
        return {}
    told: Mapping[str, Mapping[str, Any]] = artefact.read_json(_REGENERATION)["stems"]
    return {
        stem: {
            "kind": "kept" if each["kept"] else each["kind"],
            "by": "the original" if each["kept"] else each.get("label", each["kind"]),
            "licence": each.get("licence"),
            "source": each.get("source"),
        }
        for stem, each in told.items()
    }


def _steps(artefact: Artefact) -> list[dict[str, Json]]:
    """Steps of a restoration that were kept: of what, by whom, in which part of the time."""
    if _RESTORATION not in artefact.manifest.files:
        return []
    told: Mapping[str, Sequence[Mapping[str, Json]]] = artefact.read_json(_RESTORATION)
    names = ("step", "engine", "model", "licence", "kept")
    return [
        {"of": of, **{name: step.get(name) for name in names}}
        for of, steps in told.items()
        for step in steps
        if step.get("kept")
    ]
