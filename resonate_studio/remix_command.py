"""`resonate remix`: a track, or a file beside the graph, at another tempo, in another key, as chops and loops."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.export_command import OUT, REPLACE
from resonate_studio.putting import beside, put
from resonate_studio.stopping import stoppable, tell_stopped
from resonate_studio.terminal import HOME, JSON, Command, console, plain, print_json

if TYPE_CHECKING:
    from resonate_resources.recordings.recording import Stems
    from resonate_resources.remixing.brief import RemixingBrief


@click.command(cls=Command)
@click.argument("source", metavar="FILE|TRACK")
@click.option("--bpm", type=float, help="The tempo it is to have, in beats a minute; 6/8 has two beats.")
@click.option("--stretch", type=float, help="Instead: how many times as long it is to be, 0.5 to 2.")
@click.option("--straighten", is_flag=True, help="One steady tempo all along.")
@click.option("--key", help="The key it is to have, as in 8A, Am or `F# minor`; relative keys are one.")
@click.option("--semitones", type=float, help="Instead: how far it is moved, −12 to 12.")
@click.option("--chops", is_flag=True, help="The vocals cut at their onsets.")
@click.option(
    "--loops", type=int, multiple=True, metavar="1|2|4|8", help="Loops of so many bars; as often as needed."
)
@OUT
@REPLACE
@HOME
@JSON
def remix(
    source: str,
    bpm: float | None,
    stretch: float | None,
    straighten: bool,
    key: str | None,
    semitones: float | None,
    chops: bool,
    loops: tuple[int, ...],
    out: Path,
    replace: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Write the stems of a track at another tempo and in another key, the vocals as chops, bars as loops.

    TRACK: a track's key, or any beginning of one that is no other's; its restored stems and its master. A FILE is
    separated first, unless that was done before.
    """
    brief = _brief(
        {
            "tempo_bpm": bpm,
            "stretch": stretch,
            "straighten": straighten,
            "key": key,
            "semitones": semitones,
            "chops": chops,
            "loops": loops,
        }
    )
    if not brief.asks:
        raise click.UsageError(
            "give at least one of --bpm, --stretch, --straighten, --key, --semitones, --chops and --loops"
        )
    with stoppable() as stopping:
        stopping.tell = tell_stopped
        from resonate_resources.recordings.music import Music
        from resonate_resources.remixing.move import move_for
        from resonate_resources.remixing.resource import RemixingResource

        file = Path(source)
        with beside(out) as scratch, _one_line(source):
            of_track = not file.exists()
            profile, parted = _of_track(source, home) if of_track else _of_file(file, home, scratch)
            # Before anything is separated.
            move = move_for(brief, Music.of(profile), profile["key"], of_track=of_track)
            recordings = parted()
            into = scratch / "remix"
            into.mkdir()
            product = RemixingResource().remix(recordings, profile, brief, into)
            written = put(product.files, out, replace=replace)
    if as_json:
        print_json(
            {
                "source": source,
                "tempo_bpm": move.tempo_bpm,
                "key": move.key,
                "semitones": move.semitones,
                "files": written,
                "notes": list(product.notes),
            }
        )
        return
    tempo = "no tempo" if move.tempo_bpm is None else f"{move.tempo_bpm:.1f} BPM"
    moved = f", moved by {move.semitones:+g} semitones" if move.semitones else ""
    terminal = console(as_json)
    for line in (f"{source}: {tempo}, {move.key or 'no key'}{moved}", f"  {len(written)} files in {out}"):
        terminal.print(plain(line), markup=False, highlight=False, soft_wrap=True)
    for note in product.notes:
        terminal.print(f"  {plain(note)}", markup=False, highlight=False, soft_wrap=True)


def _brief(asked: dict[str, Any]) -> RemixingBrief:
    from resonate_resources.brief.layers import BriefError, Layer, resolve

    try:
        return resolve([Layer("", {"remixing": asked})]).brief.remixing
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error


def _of_file(file: Path, home: Path | None, scratch: Path) -> tuple[dict[str, Any], Callable[[], Stems]]:
    """The profile, and what gives stems and the track itself."""
    from resonate_resources.profiling.brief import ProfileBrief
    from resonate_resources.profiling.resource import ProfilingResource
    from resonate_resources.recordings.decoding import decode
    from resonate_resources.recordings.limits import Limits
    from resonate_studio.separating import stems_in

    for name in ("track", "profile"):
        (scratch / name).mkdir()
    track = decode(file, scratch / "track", limits=Limits.from_environment()).recording
    made = ProfilingResource().profile(track, ProfileBrief(), scratch / "profile")
    profile = json.loads(made.files["profile.json"].read_bytes())
    return profile, lambda: {**stems_in(home, file), "track": track}


def _of_track(beginning: str, home: Path | None) -> tuple[dict[str, Any], Callable[[], Stems]]:
    """The profile, and what gives restored stems and the master."""
    from resonate_assets.definitions import build_defs
    from resonate_resources.mastering.targets import file_name
    from resonate_studio.home import open_instance, require_home, settings_for
    from resonate_studio.tracks import find_track

    settings = settings_for(home)
    require_home(settings)
    with open_instance(settings) as instance:
        track = find_track(instance, beginning)
    artefacts = (build_defs(settings).resources or {})["storage"].artefacts
    made = {stage: artefacts.current(stage, track) for stage in ("profile", "restored_stems", "master")}
    missing = [stage for stage, artefact in made.items() if artefact is None]
    if missing:
        raise click.ClickException(
            f"{track}: has no {' and no '.join(missing)} yet: `resonate retry {track}` makes it"
        )
    mastered = made["master"].recording(file_name("", "wav"))
    return made["profile"].read_json("profile.json"), lambda: {
        **made["restored_stems"].stems(),
        "master": mastered,
    }


@contextmanager
def _one_line(source: str) -> Iterator[None]:
    """What is wrong with a file is one line. Raises ClickException."""
    from resonate_resources.recordings.recording import AudioError

    try:
        yield
    except AudioError as error:
        text = " ".join(str(error).split())
        name = Path(source).name
        raise click.ClickException(text if text.startswith(name) else f"{name}: {text}") from error
