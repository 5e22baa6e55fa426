"""Briefs over the API: shown, changed, restored. What a setting means stands in the capabilities' sections."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from resonate_assets.targets import ON_REQUEST, TARGETS
from resonate_resources.brief.brief import Brief
from resonate_resources.brief.layers import BUILT_IN, BriefError, Resolved
from resonate_resources.brief.resource import BriefResource
from resonate_resources.storage.artefacts import Artefact
from resonate_studio.api import models
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError, not_found
from resonate_studio.api.wording import without_paths
from resonate_studio.processing import stages_from
from resonate_studio.references import SETTINGS as REFERENCES
from resonate_studio.references import earlier_references, forget_references, set_references

PLACES = frozenset({*REFERENCES, "separation.truth", "regeneration.soundfonts", "regeneration.plugins"})
"""Settings that are places of the server's file system: shown by name, and never taken from a client."""
READERS: Mapping[str, Sequence[str]] = {
    "separation": ("stems",),
    "restoration": ("restored_track",),
    "profile": ("profile",),
    "transcription": ("midi",),
    "mixing": ("mix_plan",),
    "mastering": ("master",),
    "regeneration": ("regenerated_stems",),
    "remixing": ("remix",),
    "exports": (*TARGETS, "exports"),
}
"""Section → the first stages that go by it."""
_EARLIER_AT_MOST = 200


class Briefs:
    """Of the tracks of one home. From any thread."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._briefs: BriefResource = opened.defs.resources["briefs"]  # type: ignore[index]
        self._changing = threading.RLock()

    def show(self, track: str) -> models.Brief:
        """Raises ProblemError where a file of the brief can't be used."""
        return _shown(self._resolved(track))

    def check(self, track: str, settings: Mapping[str, Any], unset: Sequence[str] = ()) -> None:
        """Whether a client may set this, and it would do. Raises ProblemError."""
        _require_json(settings, unset)
        for name, value in _leaves(settings):
            if not all(name.split(".")):
                raise ProblemError(422, f"{name[:80]!r} is no setting's name, such as mastering.target_lufs")
            if name in PLACES and value not in (None, "", []):
                instead = "; give the file itself, as a job's reference_track" if name in REFERENCES else ""
                raise ProblemError(422, f"{name}: is a place on the server{instead}")
        try:
            self._briefs.check(track, self._source(track), settings, unset)
        except BriefError as error:
            raise ProblemError(422, without_paths(str(error))) from error

    def set(self, track: str, settings: Mapping[str, Any], unset: Sequence[str] = ()) -> None:
        """For good. Raises ProblemError."""
        with self._changing:
            try:
                self._briefs.change(track, self._source(track), settings, unset)
            except BriefError as error:
                raise ProblemError(422, without_paths(str(error))) from error

    def towards(self, track: str, other: str) -> dict[str, Any]:
        """What is to be set for a track to be moved towards the recording of another one. Raises ProblemError."""
        source = self._source(other) if other != track else None
        if source is None:
            raise ProblemError(422, "reference_track: is the key of no other track of the library")
        if source.uri.startswith("s3://") or not Path(source.uri).is_file():
            raise ProblemError(409, "reference_track: its file is not on this machine; give it as a file")
        return dict.fromkeys(REFERENCES, source.uri)

    @contextmanager
    def unless_refused(self, track: str) -> Iterator[None]:
        """What is set for a track in the block stays unless the block raises ProblemError. References that no brief
        names any longer go."""
        key, store = f"briefs/{track}.json", self._opened.storage.store
        with self._changing:
            before, was = store.read(key), set_references(self._opened.storage, track)
            try:
                yield
            except ProblemError:
                was = set_references(self._opened.storage, track)
                store.delete(key) if before is None else store.write(key, before)
                raise
            finally:
                storage = self._opened.storage
                if gone := was - set_references(storage, track):
                    forget_references(storage, gone - earlier_references(storage, track))

    def behind(self, track: str) -> list[str]:
        """Stages that are to be made anew for what is wanted now, by the brief that the results were made by: all
        where there is none. What was made so before is found, whatever stands here."""
        made = self._opened.storage.artefacts.current("brief", track)
        if made is None:
            return list(stages_from("brief", "raw_track", defs=self._opened.defs))
        then, now = _document(made), self._resolved(track).brief.model_dump(mode="json")
        differ = [section for section in READERS if then.get(section) != now[section]]
        changed = [reader for section in differ for reader in READERS[section]]
        return list(stages_from(*changed, defs=self._opened.defs)) if changed else []

    def told(self, track: str, stages: Sequence[str]) -> list[str]:
        """Of these stages, those that make something: not those on request that the brief does not ask for."""
        brief = self._resolved(track).brief
        asked = {
            *brief.exports.targets,
            *(["remix"] if brief.remixing.asks else []),
            *(["generated_track"] if brief.restoration.mode != "restore" else []),
        }
        return [stage for stage in stages if stage not in ON_REQUEST or stage in asked]

    def earlier(self, track: str) -> models.EarlierBriefs:
        """Raises ProblemError."""
        now = dict(_values(self._resolved(track)))
        current = self._opened.storage.artefacts.current("brief", track)
        found = []
        for artefact in self._kept(track):
            then = _brief(artefact)
            if then is None:
                continue
            was = dict(_values(Resolved(then, {})))
            differs = {
                name: (_public(name, was.get(name)), _public(name, now.get(name)))
                for name in [*was, *(name for name in now if name not in was)]
                if was.get(name) != now.get(name) and {} not in (was.get(name), now.get(name))
            }
            found.append(
                models.EarlierBrief(
                    key=artefact.manifest.key,
                    made_at=artefact.manifest.made_at,
                    current=current is not None and current.manifest.key == artefact.manifest.key,
                    differs=differs,
                )
            )
        return models.EarlierBriefs(briefs=sorted(found, key=lambda one: one.made_at, reverse=True))

    def restore(self, track: str, key: str) -> None:
        """Set for the track whatever makes its brief the one that a result of that key was made by. Raises
        ProblemError."""
        artefact = self._opened.storage.artefacts.computed("brief", track, key)
        then = _brief(artefact) if artefact else None
        if then is None:
            raise not_found("there is no such earlier brief of this track")
        _require_places(then)
        source = self._source(track)
        try:
            given = dict(_values(self._briefs.given(source)))
            was = dict(_values(Resolved(then, {})))
            with self._changing:
                wanted = {name: value for name, value in was.items() if given.get(name) != value}
                unset = [name for name in self._briefs.settings(track) if name not in wanted]
                if self._briefs.check(track, source, wanted, unset).brief != then:
                    raise ProblemError(
                        409, "files of the home say more than they did then; take it out there"
                    )
                self._briefs.change(track, source, wanted, unset)
        except BriefError as error:
            raise ProblemError(409, without_paths(str(error))) from error

    def _kept(self, track: str) -> Iterator[Artefact]:
        """Every brief that results were made by."""
        storage = self._opened.storage
        keys = [
            parts[3]
            for entry in storage.store.entries(f"artefacts/brief/{track}")
            if len(parts := entry.key.split("/")) == 5 and parts[4] == "manifest.json"
        ]
        for key in keys[:_EARLIER_AT_MOST]:
            artefact = storage.artefacts.computed("brief", track, key)
            if artefact is not None:
                yield artefact

    def _resolved(self, track: str) -> Resolved:
        try:
            return self._briefs.resolve(track, self._source(track))
        except BriefError as error:
            raise ProblemError(409, without_paths(str(error))) from error

    def _source(self, track: str) -> Any:
        return self._opened.storage.sources.find(track)


def dotted(document: Any) -> dict[str, Any]:
    """section → name → value, as a brief is written, as dotted names. Raises ProblemError."""
    if not isinstance(document, dict) or not all(isinstance(each, dict) for each in document.values()):
        raise ProblemError(422, 'brief: settings stand in sections, such as {"mastering": {…}}')
    for section, values in document.items():
        if not section or not all(values):
            raise ProblemError(422, "brief: a section or a setting in it has no name")
    return {
        f"{section}.{name}": value for section, values in document.items() for name, value in values.items()
    }


def schema() -> dict[str, Any]:
    """The JSON schema of a brief. What only the server may set is read-only in it."""
    described = Brief.model_json_schema()
    for dotted_name in PLACES:
        section, name = dotted_name.split(".")
        reference = described["properties"][section]
        at = reference.get("$ref") or reference["allOf"][0]["$ref"]
        described["$defs"][at.rpartition("/")[2]]["properties"][name]["readOnly"] = True
    return described


def _require_json(settings: Mapping[str, Any], unset: Sequence[str]) -> None:
    """JSON may hold what no file of JSON can be written of: 1e400, and halves of characters."""
    try:
        json.dumps([settings, *unset], ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ProblemError(422, "brief: a text in it is no Unicode (half of a surrogate pair)") from error
    except ValueError as error:
        raise ProblemError(422, "brief: a number in it is not finite") from error


def _require_places(brief: Brief) -> None:
    """Raises ProblemError where a recording that it names is gone."""
    for name in REFERENCES:
        section, setting = name.split(".")
        path = getattr(getattr(brief, section), setting)
        if path and not Path(path).is_file():
            raise ProblemError(409, f"{name}: the recording that was named then is gone")


def _shown(resolved: Resolved) -> models.Brief:
    return models.Brief(
        values=[
            models.BriefValue(
                name=name,
                value=_public(name, value),
                origin=_origin(origin),
                built_in=origin == BUILT_IN,
            )
            for name, value, origin in resolved.values()
        ]
    )


def _origin(origin: str) -> str:
    """A file by its name and its folder's."""
    if "/" not in origin:
        return origin
    return "/".join(PurePosixPath(origin).parts[-2:]).lstrip("/")


def _public(name: str, value: Any) -> Any:
    if name not in PLACES:
        return value
    if isinstance(value, str):
        return PurePosixPath(value).name
    return [_public(name, each) for each in value] if isinstance(value, (list, tuple)) else value


def _values(resolved: Resolved) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value, _ in resolved.values())


def _leaves(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _document(artefact: Artefact) -> dict[str, Any]:
    settings = artefact.manifest.recipe.get("settings")
    return dict(settings) if isinstance(settings, dict) else {}


def _brief(artefact: Artefact) -> Brief | None:
    """None for one of a version whose settings are others."""
    try:
        return Brief.model_validate(_document(artefact))
    except ValidationError:
        return None
