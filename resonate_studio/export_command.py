"""`resonate export` and `export-ableton`: tracks, and stems from elsewhere, for programs for music."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from resonate_resources.exporting.brief import ExportsBrief, TargetName
from resonate_studio.putting import beside, put
from resonate_studio.stopping import stoppable, tell_stopped
from resonate_studio.terminal import HOME, JSON, Command, Range, console, plain, print_json

if TYPE_CHECKING:
    from resonate_resources.exporting.sfz import InstrumentMaker
    from resonate_resources.exporting.song import Song
    from resonate_resources.recipe import Product
    from resonate_resources.storage.resource import StorageResource

FOLDER = "folder"
"""The target that is the track's own folder, as in exports/."""
_NAMES = (FOLDER, *get_args(TargetName))

OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to; made where there is none.",
)
REPLACE = click.option("--replace", is_flag=True, help="Write over what is there and differs.")


class _Target(click.ParamType[str]):
    """A target, its words parted by `_` or `-`."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value).lower().replace("-", "_")
        if name not in _NAMES:
            self.fail(f"{str(value)[:40]!r} is none of {', '.join(_NAMES)}", param, ctx)
        return name


@dataclass
class _Sent:
    """What came of one track. files: absolute paths."""

    track: str
    files: Sequence[str] = ()
    notes: Sequence[str] = ()
    error: str | None = None


@click.command(cls=Command)
@click.argument("target", type=_Target())
@click.argument("tracks", nargs=-1, metavar="TRACK...")
@click.option("--all", "every", is_flag=True, help="Every track that is finished.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="exports.NAME=VALUE",
    help="exports.stem_format=flac, exports.stem_bits=16, …: docs/briefs.md says what there is. "
    "Default: as the track's brief says.",
)
@OUT
@REPLACE
@HOME
@JSON
def export(
    target: str,
    tracks: tuple[str, ...],
    every: bool,
    assignments: tuple[str, ...],
    out: Path,
    replace: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Write what was made of TRACKs for a program, without making anything of them anew.

    TARGET: folder, ableton, dawproject, ni-stems, rekordbox, serato, multitrack-midi, archive, mirrored or sfz.
    TRACK: a track's key, or any beginning of one that is no other's.
    """
    if bool(tracks) == every:
        raise click.UsageError("give tracks, or --all")
    with stoppable() as stopping:
        stopping.tell = tell_stopped
        from resonate_assets.definitions import build_defs
        from resonate_resources.storage.current import tracks_with
        from resonate_studio.home import open_instance, require_home, settings_for
        from resonate_studio.tracks import find_track

        settings = settings_for(home)
        require_home(settings)
        resources = build_defs(settings).resources or {}
        storage: StorageResource = resources["storage"]
        with open_instance(settings) as instance:
            names = (
                sorted(tracks_with(storage.database, "exports"))
                if every
                else [find_track(instance, track) for track in tracks]
            )
        writer = _Writer(
            storage,
            target,
            _asked(assignments),
            out,
            replace,
            resources["inbox"].root_of,
            resources["regeneration"],
        )
        sent: list[_Sent] = []
        stopping.tell = lambda: _tell(sent, as_json, stopped=True)
        for each in writer.send(list(dict.fromkeys(names))):
            stopping.hold()
            sent.append(each)
    _tell(sent, as_json)
    if any(each.error for each in sent):
        raise SystemExit(1)


@dataclass
class _Writer:
    storage: StorageResource
    target: str
    settings: Mapping[str, Any]
    out: Path
    replace: bool
    root_of: Callable[[Path | None, str], Path]
    maker: InstrumentMaker
    written: set[Path] = field(default_factory=set)
    """By this command."""

    def send(self, tracks: Sequence[str]) -> Iterator[_Sent]:
        """One after the other; a rekordbox collection is one for all that could be read."""
        songs: dict[str, Song] = {}
        for track in tracks:
            try:
                if self.target == "rekordbox":
                    songs[track] = self._song(track)[0]
                else:
                    yield self._one(track)
            except click.ClickException as error:
                yield _Sent(track, error=error.format_message())
        if songs:
            yield self._collection(songs)

    def _song(self, track: str) -> tuple[Song, ExportsBrief]:
        """Raises ClickException."""
        from resonate_resources.exporting.targets import OF_REBUILT
        from resonate_resources.exporting.track_song import MADE, REBUILT, song_of

        rebuilt = (REBUILT,) if self.target in OF_REBUILT else ()
        made = self._made(track, (*MADE, *rebuilt, "brief"))
        source = self.storage.sources.find(track)
        if source is None:
            raise click.ClickException(f"{track}: its file is not known any more")
        brief = _brief_of(made["brief"])
        with _one_line(track):
            song = song_of(source, brief, made, self.storage.artefacts)
            return song, _with(brief.exports, self.settings)

    def _made(self, track: str, stages: Sequence[str]) -> dict[str, Any]:
        made = {stage: self.storage.artefacts.current(stage, track) for stage in stages}
        missing = [stage for stage, artefact in made.items() if artefact is None]
        if missing:
            raise click.ClickException(
                f"{track}: has no {' and no '.join(missing)} yet: `resonate retry {track}` makes it"
            )
        return made

    def _one(self, track: str) -> _Sent:
        from resonate_resources.exporting.targets import target_of
        from resonate_resources.recordings.recording import silent

        if self.target == FOLDER:
            return self._folder(track)
        song, wanted = self._song(track)
        name: TargetName = self.target  # type: ignore[assignment]
        with beside(self.out) as scratch:
            with _one_line(track):
                library = self.root_of(song.source, self.storage.database)
                target = target_of(name, wanted, self.out.resolve(), library, self.maker)
                product = target.write(song, scratch, silent)
            return _Sent(track, self._put(product, [song], scratch), product.notes)

    def _collection(self, songs: Mapping[str, Song]) -> _Sent:
        from resonate_resources.exporting.rekordbox import Rekordbox
        from resonate_resources.recordings.recording import silent

        told = ", ".join(songs)
        try:
            with beside(self.out) as scratch:
                with _one_line(told):
                    product = Rekordbox(self.out.resolve()).write_all([*songs.values()], scratch, silent)
                return _Sent(told, self._put(product, [*songs.values()], scratch), product.notes)
        except click.ClickException as error:
            return _Sent(told, error=error.format_message())

    def _put(self, product: Product, songs: Sequence[Song], scratch: Path) -> list[str]:
        """The product, and beside it how each song's sound was made."""
        from resonate_resources.exporting.names import file_name
        from resonate_resources.exporting.serato import CRATE

        files = dict(product.files)
        for number, song in enumerate(songs):
            if song.provenance and self.target != "mirrored":
                path = scratch / f"provenance-{number}"
                path.write_text(json.dumps(song.provenance.to_json(), indent=1) + "\n", encoding="utf-8")
                name = file_name(song.tags.artist, song.tags.title, "Provenance", "json")
                if name in files:  # of another song of that name
                    name = name.replace(".json", f" {song.track.rpartition('-')[2]}.json")
                files[name] = path
        kept = [*self.written, *(song.source for song in songs if song.source)]
        paths = put(files, self.out, replace=self.replace, ours={CRATE}, kept=kept)
        self.written.update(self.out / name for name in files)
        return paths

    def _folder(self, track: str) -> _Sent:
        """The files of exports/, as they are there or would be."""
        from resonate_assets.jobs import STAGES
        from resonate_resources.exporting.track_folder import folder_of_track

        made = self._made(track, STAGES[: STAGES.index("exports")])
        source = self.storage.sources.find(track)
        if source is None:
            raise click.ClickException(f"{track}: its file is not known any more")
        brief = _brief_of(made["brief"])
        with beside(self.out) as scratch:
            with _one_line(track):
                wanted = brief.model_copy(update={"exports": _with(brief.exports, self.settings)})
                folder = folder_of_track(source, wanted, made, self.storage.artefacts)
                files = folder.copied(scratch)
            named = {f"{folder.name}/{name}": path for name, path in files.items()}
            return _Sent(track, put(named, self.out, replace=self.replace), folder.notes())


@click.command("export-ableton", cls=Command)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--bpm", type=Range(40, 240), help="Its tempo, where it is known. Default: as it is heard.")
@OUT
@REPLACE
@JSON
def export_ableton(folder: Path, bpm: float | None, out: Path, replace: bool, as_json: bool) -> None:
    """Make an Ableton Live project of stems from elsewhere: the audio files in FOLDER, told by their names."""
    with stoppable() as stopping:
        stopping.tell = tell_stopped
        from resonate_resources.exporting.ableton.target import AbletonLive
        from resonate_resources.exporting.stem_folder import StemFolder
        from resonate_resources.profiling.brief import ProfileBrief
        from resonate_resources.profiling.resource import ProfilingResource
        from resonate_resources.recordings.recording import Recording, silent

        with beside(out) as scratch:
            profile = scratch / "profile"
            profile.mkdir()

            def profiled(mix: Recording) -> dict[str, Any]:
                made = ProfilingResource().profile(mix, ProfileBrief(tempo_bpm=bpm), profile)
                told: dict[str, Any] = json.loads(made.files["profile.json"].read_bytes())
                return told

            with _one_line(folder.name):
                stems = StemFolder.read(folder)
                product = AbletonLive().write(stems.song(scratch, profiled, bpm), scratch, silent)
            sent = _Sent(
                stems.title, put(product.files, out, replace=replace), (*stems.notes, *product.notes)
            )
    _tell([sent], as_json)


class _one_line:  # noqa: N801 — reads as the statement it is
    """What is wrong with a track's files is one line. named: of the track."""

    def __init__(self, named: str) -> None:
        self.named = named

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        from resonate_resources.recordings.recording import AudioError

        if isinstance(error, AudioError):
            text, named = " ".join(str(error).split()), f"{self.named}: "
            raise click.ClickException(text if text.startswith(named) else named + text) from error


def _asked(assignments: Sequence[str]) -> dict[str, Any]:
    """Settings of the brief's section, checked. Raises UsageError."""
    from resonate_resources.brief.layers import BriefError, Layer, nested, resolve
    from resonate_studio.sound_commands import settings_of

    try:
        settings = settings_of("exports", assignments)
        resolve([Layer("", nested(settings))])
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error
    return {name.removeprefix("exports."): value for name, value in settings.items()}


def _with(exports: ExportsBrief, settings: Mapping[str, Any]) -> ExportsBrief:
    """Raises BriefError."""
    from resonate_resources.brief.layers import Layer, resolve

    together = {**exports.model_dump(mode="json"), **settings}
    return resolve([Layer("the brief with --set", {"exports": together})]).brief.exports


def _brief_of(artefact: Any) -> Any:
    from resonate_assets.brief import FILE
    from resonate_resources.brief.brief import Brief

    return Brief.read(artefact.path(FILE))


def _tell(sent: Sequence[_Sent], as_json: bool, stopped: bool = False) -> None:
    if as_json:
        rows = [
            {"track": each.track, "error": each.error, "files": [*each.files], "notes": [*each.notes]}
            for each in sent
        ]
        print_json({"tracks": rows, **({"stopped": True} if stopped else {})})
        return
    terminal = console(as_json)
    for each in sent:
        if each.error:
            click.echo(f"failed {plain(each.error)}", err=True)
            continue
        for file in each.files:
            terminal.print(plain(file), markup=False, highlight=False, soft_wrap=True)
        for note in each.notes:
            terminal.print(f"  {plain(note)}", markup=False, highlight=False, soft_wrap=True)
    if not sent:
        click.echo("stopped: nothing was written" if stopped else "no track is finished", err=True)
