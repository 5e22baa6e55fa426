"""`resonate listen`: a folder in which somebody hears a track before and after, without a server."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_studio.foreground import until_stopped
from resonate_studio.terminal import HOME, JSON, Command, console, plain, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resonate_resources.recordings.recording import Recording
    from resonate_resources.storage.artefacts import Artefact
    from resonate_resources.storage.resource import StorageResource
    from resonate_studio.offline_page.writing import Heard, Told

_WHOLE = ("original", "restored_track", "mix", "master")


@click.command(cls=Command)
@click.argument("track", metavar="TRACK")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to make. One that such a page is in already is made anew.",
)
@click.option("--stems", is_flag=True, help="The stems as well: separated, restored, played anew.")
@HOME
@JSON
def listen(track: str, out: Path, stems: bool, home: Path | None, as_json: bool) -> None:
    """Make a folder that opens from disk without a server: TRACK before and after, switched between at the same
    sample and loudness, a listening test, the verdict. For sending to somebody.

    TRACK: a track's key, or any beginning of one that is no other's. Of one over 15 minutes, excerpts are in it.
    """
    until_stopped(lambda: _run(track, out, stems, home, as_json))


def _run(track: str, out: Path, stems: bool, home: Path | None, as_json: bool) -> int:
    from resonate_assets.definitions import build_defs
    from resonate_studio.home import open_instance, require_home, settings_for
    from resonate_studio.offline_page.writing import NotOursError, excerpts, write_page
    from resonate_studio.tracks import find_track

    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.absolute().parent}")
    settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        name = find_track(instance, track)
    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    heard = _heard(storage, name, stems)
    if len(heard) < 2:
        raise click.ClickException(
            f"{name}: nothing is made of it yet that could be compared; process it first"
        )
    told = _told(storage, name, heard)
    shown = console(as_json)
    try:
        with shown.status("listening") as status:
            write_page(
                out.absolute(), heard, told, lambda at_work: status.update(plain(at_work).replace("[", "\\["))
            )
    except NotOursError as error:
        raise click.ClickException(f"--out: {error}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"--out: {plain(str(out))}: can't be written ({reason})") from error
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    from resonate_studio.hearing.segments import RATE, frames_at_rate

    frames = frames_at_rate(heard[0].recording)
    spans = [(start / RATE, stop / RATE) for start, stop in excerpts(frames)]
    if as_json:
        page = str(out.absolute() / "index.html")
        versions = [version.id for version in heard]
        print_json({"track": name, "page": page, "versions": versions, "bytes": size, "spans_s": spans})
        return 0
    click.echo(
        f"{plain(str(out / 'index.html'))}: {len(heard)} versions, {size / 1e6:.0f} MB; open it in a browser"
    )
    if len(spans) > 1:
        click.echo(f"the track is longer than 15 minutes: {len(spans)} excerpts of two minutes are in it")
    return 0


def _heard(storage: StorageResource, track: str, stems: bool) -> list[Heard]:
    """What counts now, the original first. Loudness and offsets are measured where no stage told them."""
    from resonate_studio.api.hearable import VersionName, hearable_of
    from resonate_studio.hearing.alignment import offset_seconds
    from resonate_studio.offline_page.writing import Heard

    made = _made(storage, track)
    found: list[Heard] = []
    for one in hearable_of(storage, track, made):
        version, recording = one.version, one.recording
        name = VersionName.parse(version.id)
        if name is None or not version.current or not (stems or name.kind in _WHOLE):
            continue
        whole = name.kind in _WHOLE
        found.append(
            Heard(
                id=str(replace(name, key=_key(storage, track, name))),
                label=version.label if whole or name.kind != "stems" else f"Stem: {version.label.lower()}",
                recording=recording,
                loudness_lufs=_loudness(recording, version.loudness_lufs) if whole else None,
                offset_s=offset_seconds(found[0].recording, recording) if whole and found else 0.0,
                generated=version.generated,
            )
        )
    return found


def _told(storage: StorageResource, track: str, heard: list[Heard]) -> Told:
    from importlib.metadata import version

    from resonate_studio.api.measures import quality_of
    from resonate_studio.api.wording import called
    from resonate_studio.offline_page.writing import Told

    title, artist = called(storage.sources.find(track), track)
    masters = [number for number, one in enumerate(heard) if one.id.startswith("master")]
    return Told(
        track=track,
        title=title,
        artist=artist,
        quality=quality_of(_made(storage, track)),
        compared=masters[0] if masters else 1,
        made=f"Made by Resonate {version('resonate-studio')}. Nothing on this page leaves your machine.",
    )


def _made(storage: StorageResource, track: str) -> Mapping[str, Artefact]:
    from resonate_assets.jobs import ORIGIN, STAGES

    found = {stage: storage.artefacts.current(stage, track) for stage in (*ORIGIN, *STAGES)}
    return {stage: artefact for stage, artefact in found.items() if artefact is not None}


def _key(storage: StorageResource, track: str, name: object) -> str | None:
    from resonate_studio.api.hearable import VersionName, artefact_of

    assert isinstance(name, VersionName)
    artefact = artefact_of(storage, track, name)
    return artefact.manifest.key if artefact else None


def _loudness(recording: Recording, told: float | None) -> float:
    """In LUFS, mono as if from two loudspeakers, as it is heard beside stereo."""
    from resonate_resources.signal.loudness import measure_loudness

    lufs = measure_loudness(recording).integrated_lufs if told is None else told
    return lufs + (10 * math.log10(2) if recording.channels == 1 else 0.0)
