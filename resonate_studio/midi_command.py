"""`resonate midi`: the notes of a file, beside the graph."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import click

from resonate_studio.putting import beside, put
from resonate_studio.sound_commands import FILE, decoded_file, settings_of
from resonate_studio.stopping import scratch_folder, stoppable, tell_stopped
from resonate_studio.terminal import HOME, JSON, Command, console, print_json, shown

if TYPE_CHECKING:
    from resonate_resources.recipe import Product
    from resonate_resources.transcription.brief import TranscriptionBrief


@click.command(cls=Command)
@FILE
@HOME
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="transcription.NAME=VALUE",
    help="transcription.clean_up=false, transcription.bends=false: docs/briefs.md says what they are.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to: STEM.mid as played, quantised/STEM.mid, notes.parquet.",
)
@JSON
def midi(file: Path, home: Path | None, assignments: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Write down what is played in FILE: a MIDI file for each of its stems, in its tempo and bars.

    FILE is separated first, unless that was done before.
    """
    with stoppable() as stopping:
        stopping.tell = tell_stopped
        brief = _brief(assignments)
        refuse_unwritable(out)
        with scratch_folder() as scratch:
            product = _heard(file, home, brief, scratch)
            written = _written(product, out)
    counts = {
        name.removesuffix("_notes"): value
        for name, value in product.measures.items()
        if name.endswith("_notes")
    }
    tempo_bpm = product.measures.get("tempo_bpm")
    if as_json:
        print_json(
            {
                "source": str(file),
                "tempo_bpm": tempo_bpm,
                "notes": counts,
                "files": written,
                "remarks": list(product.notes),
            }
        )
        return
    terminal = console(as_json)
    tempo = "no tempo" if tempo_bpm is None else f"{float(tempo_bpm):.1f} BPM"
    terminal.print(f"{shown(file)}: {tempo}", soft_wrap=True, highlight=False)
    for stem, count in counts.items():
        terminal.print(f"  {stem:8} {count:5} notes  {out / f'{stem}.mid'}", markup=False, soft_wrap=True)
    for note in product.notes:
        terminal.print(f"  {note}", markup=False, highlight=False, soft_wrap=True)


def _brief(assignments: tuple[str, ...]) -> TranscriptionBrief:
    from resonate_resources.brief.layers import BriefError, Layer, nested, resolve

    try:
        settings = settings_of("transcription", assignments)
        return resolve([Layer("", nested(settings))]).brief.transcription
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error


def _heard(file: Path, home: Path | None, brief: TranscriptionBrief, into: Path) -> Product:
    """Stems, profile and notes. What is wrong with the file or the home is one line."""
    from resonate_resources.profiling.brief import ProfileBrief
    from resonate_resources.profiling.profile import Profile
    from resonate_resources.profiling.resource import ProfilingResource
    from resonate_resources.recordings.music import Music
    from resonate_resources.recordings.recording import AudioError
    from resonate_resources.transcription.resource import TranscriptionResource
    from resonate_studio.separating import stems_in
    from resonate_studio.trouble import trouble

    stems = stems_in(home, file)
    try:
        profile_folder, notes_folder = into / "profile", into / "notes"
        profile_folder.mkdir()
        notes_folder.mkdir()
        with decoded_file(file) as (recording, _):
            profile = ProfilingResource().profile(recording, ProfileBrief(), profile_folder)
        music = Music.of(Profile.read(profile.files["profile.json"]).model_dump(mode="json"))
        return TranscriptionResource().transcribe(stems, music, brief, notes_folder)
    except AudioError as error:
        text = " ".join(str(error).split())
        raise click.ClickException(text if text.startswith(file.name) else f"{file.name}: {text}") from error
    except OSError as error:
        raise click.ClickException(trouble(error)) from error


def refuse_unwritable(out: Path) -> None:
    """Before anything is heard; nothing is made yet. Raises ClickException."""
    try:
        there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def _written(product: Product, out: Path) -> dict[str, str]:
    """Name → absolute path; notes on a grid of an earlier time that these have not are taken away."""
    from resonate_resources.brief.section import STEM_NAMES
    from resonate_resources.transcription.note_files import QUANTISED

    written = copied_to(out, product.files)
    try:
        for earlier in (out / QUANTISED).glob("*.mid"):
            if f"{QUANTISED}{earlier.name}" not in written and earlier.stem in STEM_NAMES:
                earlier.unlink()
    except OSError as error:
        raise unwritable(out, error) from error
    return written


def copied_to(out: Path, files: Mapping[str, Path]) -> dict[str, str]:
    """Name → absolute path, without links and "..", of the copies, which take the place of what is there once all
    of them are whole: on a full disk, nothing is written. Raises ClickException."""
    with beside(out) as scratch:
        copies = {name: scratch / str(number) for number, name in enumerate(files)}
        for name, made in files.items():
            shutil.copyfile(made, copies[name])
        put(copies, out, replace=True)
    return {name: str((out / name).resolve()) for name in files}


def unwritable(out: Path, error: OSError) -> click.ClickException:
    return click.ClickException(
        f"--out: {out}: can't be written to ({(error.strerror or str(error)).lower()})"
    )
