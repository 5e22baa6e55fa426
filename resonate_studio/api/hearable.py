"""Versions that can be heard: what a stage made that is a recording, by the name that the page calls it.

Earlier ones are those that the compute cache keeps: results of the same stage with other settings, engines or code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from resonate_resources.mastering.targets import file_name, label_and_form, measure_name
from resonate_resources.recordings.recording import REBUILT, AudioError, Recording
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_studio.api import models
from resonate_studio.api.addresses import file_url
from resonate_studio.api.problems import not_found
from resonate_studio.api.wording import EARLIER, GROUPS, label, public_settings

STAGES = {
    "original": "raw_track",
    "restored_track": "restored_track",
    "mix": "mix",
    "master": "master",
    "stems": "stems",
    "restored_stems": "restored_stems",
    "regenerated_stems": "regenerated_stems",
    "generated_track": "generated_track",
}
"""What a version's name begins with → the stage that makes it."""
_WHOLE = {"original": "track.wav", "restored_track": "track.wav", "mix": "mix.wav"}
"""The file of a stage that makes one recording; of the others, each .wav is one."""
_ID = re.compile(r"(?P<kind>[a-z0-9_]+)(?::(?P<part>[a-z0-9._-]+))?(?:@(?P<key>[0-9a-f]{16}))?")


@dataclass(frozen=True)
class VersionName:
    """kind: one of STAGES; part: a stem, or one of several masters; key: of an earlier result, None for what counts
    now."""

    kind: str
    part: str | None = None
    key: str | None = None

    @classmethod
    def parse(cls, text: str) -> VersionName | None:
        """None for what is no name of a version."""
        found = _ID.fullmatch(text)
        if found is None or found["kind"] not in STAGES:
            return None
        return cls(found["kind"], found["part"], found["key"])

    def file(self, files: Collection[str]) -> str | None:
        """The one of its stage's files that holds it, without loss; None where there is none."""
        if self.kind == "master":
            names = [file_name(self.part or "", form) for form in ("wav", "flac")]
        else:
            names = [f"{self.part}.wav" if self.part else _WHOLE.get(self.kind, "")]
        return next((name for name in names if name in files), None)

    def __str__(self) -> str:
        return self.kind + (f":{self.part}" if self.part else "") + (f"@{self.key}" if self.key else "")


def artefact_of(storage: StorageResource, track: str, name: VersionName) -> Artefact | None:
    """What the stage gives now, or the earlier result that the name asks for."""
    stage = STAGES[name.kind]
    return (
        storage.artefacts.current(stage, track)
        if name.key is None
        else storage.artefacts.computed(stage, track, name.key)
    )


def recording_of(storage: StorageResource, track: str, version_id: str) -> Recording:
    """Raises ProblemError where there is no such version, or its file is gone or was written to."""
    name = VersionName.parse(version_id)
    artefact = artefact_of(storage, track, name) if name else None
    file = name.file(artefact.manifest.files) if name and artefact else None
    if artefact is None or file is None:
        raise not_found(f"there is no version {version_id} of this track")
    try:
        return artefact.recording(file)
    except (FileNotFoundError, AudioError) as error:
        raise not_found(f"{version_id}: its file is gone or was changed; process the track again") from error


@dataclass(frozen=True)
class Hearable:
    """A version as the API tells it, its recording, and the SHA-256 of that file as its manifest has it."""

    version: models.Version
    recording: Recording
    sha256: str


def hearable_of(storage: StorageResource, track: str, made: Mapping[str, Artefact]) -> list[Hearable]:
    """All that can be heard of a track: what counts now, in the order in which a person compares it, then earlier
    results, the latest first. made: stage → what counts now. Offsets are 0, and loudness is what stages told."""
    found: list[Hearable] = []
    for kind, stage in STAGES.items():
        current = made.get(stage)
        if current is not None:
            found += _of_artefact(kind, current, made, current=True)
    earlier = [
        heard
        for kind, stage in STAGES.items()
        for artefact in _kept(storage, stage, track)
        if stage not in made or artefact.manifest.key != made[stage].manifest.key
        for heard in _of_artefact(kind, artefact, made, current=False)
    ]
    return found + sorted(earlier, key=lambda one: one.version.made_at, reverse=True)


def _kept(storage: StorageResource, stage: str, track: str) -> Iterator[Artefact]:
    for entry in storage.store.entries(f"artefacts/{stage}/{track}"):
        parts = entry.key.split("/")
        if len(parts) == 5 and parts[4] == "manifest.json":
            artefact = storage.artefacts.computed(stage, track, parts[3])
            if artefact is not None:
                yield artefact


def _of_artefact(
    kind: str, artefact: Artefact, made: Mapping[str, Artefact], *, current: bool
) -> Iterator[Hearable]:
    manifest = artefact.manifest
    key = None if current else manifest.key
    if kind == "restored_stems" and _are_the_composed(artefact, made):
        return
    for part in _parts(kind, artefact):
        name = VersionName(kind, part, key)
        file = name.file(manifest.files)
        if file is None or (kind == "restored_track" and _is_the_original(artefact, made)):
            continue
        try:
            heard = Recording.open(artefact.store.fetch(artefact.key(file)))
        except (
            FileNotFoundError,
            AudioError,
        ):  # taken away by hand: it can't be heard, whatever the manifest says
            continue
        loudness, peak = _levels(name, file, artefact, made)
        settings = manifest.recipe.get("settings")
        version = models.Version(
            id=str(name),
            label=label(kind, part),
            group=GROUPS[kind] if current else EARLIER.get(kind, GROUPS[kind]),  # type: ignore[arg-type]  # they are the literals that the model has
            stem=part if kind.endswith("stems") and file != REBUILT else None,
            duration_s=heard.duration,
            sample_rate=heard.sample_rate,
            channels=heard.channels,
            loudness_lufs=loudness,
            loudness_range_lu=_range(name, file, artefact),
            true_peak_dbtp=peak,
            bandwidth_hz=_bandwidth(kind, artefact, made),
            offset_s=0.0,
            gain_db=_gain(kind, part, made),
            generated=manifest.measures.get("generated") is True,
            current=current,
            made_at=manifest.made_at,
            settings=public_settings(settings) if isinstance(settings, dict) else {},
            url=file_url(manifest.track, manifest.stage, file, key),
        )
        yield Hearable(version, heard, manifest.files[file].sha256)


def _is_the_original(restored: Artefact, made: Mapping[str, Artefact]) -> bool:
    """There was nothing to mend: it would be heard twice."""
    name = _WHOLE["original"]
    return (
        "raw_track" in made
        and made["raw_track"].manifest.files[name].sha256 == restored.manifest.files[name].sha256
    )


def _are_the_composed(restored: Artefact, made: Mapping[str, Artefact]) -> bool:
    """Of a track that was composed nothing is restored: they would be heard twice."""
    return "generated_stems" in made and _sounds(restored) == _sounds(made["generated_stems"])


def _sounds(stems: Artefact) -> dict[str, str]:
    return {name: stems.manifest.files[name].sha256 for name in stems.stem_files}


def _parts(kind: str, artefact: Artefact) -> list[str | None]:
    if kind == "master":
        labels = {
            label_and_form(name)[0]: None for name in artefact.manifest.files if name.startswith("master")
        }
        return [each or None for each in labels]
    if kind in _WHOLE:
        return [None]
    names = [*artefact.stem_files, *({REBUILT} & artefact.manifest.files.keys())]
    return [name.removesuffix(".wav") for name in names]


def _levels(
    name: VersionName, file: str, artefact: Artefact, made: Mapping[str, Artefact]
) -> tuple[float | None, float | None]:
    """Integrated loudness and true peak, as far as stages measured them."""
    own = artefact.manifest.measures
    if name.kind == "original":
        profile = made["profile"].manifest.measures if "profile" in made else {}
        return _number(own.get("loudness_lufs")), _number(profile.get("true_peak_dbtp"))
    if name.kind == "master":
        _, form = label_and_form(file)
        asked = (measure_name(name.part or "", form, each) for each in ("loudness_lufs", "true_peak_dbtp"))
        loudness, peak = (_number(own.get(each)) for each in asked)
        return loudness, peak
    if name.kind == "restored_stems" and name.key is None:
        return _as_it_went_into_the_mix(name.part or "", made), None
    part = f"{name.part}_" if name.part else ""
    return _number(own.get(f"{part}loudness_lufs")), _number(own.get(f"{part}true_peak_dbtp"))


def _bandwidth(kind: str, artefact: Artefact, made: Mapping[str, Artefact]) -> float | None:
    if kind == "restored_track":
        return _number(artefact.manifest.measures.get("bandwidth_hz"))
    if kind != "original" or "profile" not in made:
        return None
    return _number(made["profile"].manifest.measures.get("bandwidth_hz"))


def _range(name: VersionName, file: str, artefact: Artefact) -> float | None:
    if name.kind != "master":
        return None
    asked = measure_name(name.part or "", label_and_form(file)[1], "loudness_range_lu")
    return _number(artefact.manifest.measures.get(asked))


def _as_it_went_into_the_mix(stem: str, made: Mapping[str, Artefact]) -> float | None:
    """Loudness of a restored stem: the mix tells it after all gains."""
    if "mix" not in made or "mix_plan" not in made:
        return None
    mix, plan = made["mix"].manifest.measures, made["mix_plan"].manifest.measures
    after, own = _number(mix.get(f"{stem}_loudness_lufs")), _number(plan.get(f"{stem}_gain_db"))
    all_together = _number(mix.get("gain_db"))
    if after is None or own is None or all_together is None:
        return None
    return round(after - own - all_together, 4)


def _gain(kind: str, part: str | None, made: Mapping[str, Artefact]) -> float | None:
    if part is None or kind not in ("stems", "restored_stems") or "mix_plan" not in made:
        return None
    return _number(made["mix_plan"].manifest.measures.get(f"{part}_gain_db"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
