"""`resonate restore`: a file without what is amiss in it, beside the graph."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from resonate_studio.sound_commands import FILE, decoded_file
from resonate_studio.stopping import scratch_file
from resonate_studio.terminal import JSON, Command, console, print_json, shown

if TYPE_CHECKING:
    from resonate_resources.preset import Preset
    from resonate_resources.recordings.recording import Recording

_AUTO = "auto"
_FORMS = (".wav", ".flac")


def _plan(_ctx: click.Context, _param: click.Parameter, value: str) -> str | tuple[str, ...]:
    from resonate_resources.restoration.step import StepName

    steps = tuple(word.strip() for word in value.split(",") if word.strip())
    if steps == (_AUTO,):
        return _AUTO
    known = get_args(StepName)
    if unknown := [step for step in steps if step not in known]:
        raise click.BadParameter(f"{', '.join(unknown)}: no such step; there are {', '.join(known)}")
    if not steps:
        raise click.BadParameter(f"names no step; there are {', '.join(known)}")
    return steps


@click.command(cls=Command)
@FILE
@click.option(
    "--plan",
    "steps",
    callback=_plan,
    default=_AUTO,
    metavar="auto|STEP,…",
    help="auto: what FILE gives a reason for. Or which steps, instead of that: declip, declick, dehum, denoise, "
    "dewow, derumble, dereverb, decomb, deshimmer, deess, fill, tone, extend, polish. "
    "What does not help is taken back all the same.",
)
@click.option(
    "--preset",
    type=click.Choice(["conservative", "balanced", "aggressive"]),
    default="balanced",
    help="How much of what is amiss goes. Default: balanced.",
)
@click.option("--embedded", is_flag=True, help="Without models, also where some are installed.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write: .wav (32-bit float) or .flac (24 bits).",
)
@JSON
def restore(
    file: Path, steps: str | tuple[str, ...], preset: Preset, embedded: bool, out: Path, as_json: bool
) -> None:
    """Mend FILE as a whole: clipping, clicks, hum, noise, a room, a lost band. It is not separated; stems are
    mended by `resonate process`. With nothing to mend, its samples stay the very same."""
    from resonate_resources.restoration.brief import RestorationBrief
    from resonate_resources.restoration.resource import REPORT, TRACK, RestorationResource

    if out.suffix.lower() not in _FORMS:
        raise click.UsageError(f"--out: {out.name} ends in none of {', '.join(_FORMS)}")
    if not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}")
    if out.exists() and out.samefile(file):
        raise click.UsageError(f"--out: {out.name} is FILE itself, which is never written to")
    brief = RestorationBrief.model_validate(
        {
            "preset": preset,
            "steps": None if steps == _AUTO else steps,
            "engines": "embedded" if embedded else "best",
        }
    )
    with decoded_file(file) as (recording, folder):
        from resonate_resources.recordings.recording import Recording

        into = folder / "restored"
        into.mkdir()
        product = RestorationResource().restore_file(recording, brief, into)
        done = json.loads(product.reports[REPORT].read_text(encoding="utf-8"))[TRACK]
        notes = _written(Recording.open(product.files[f"{TRACK}.wav"]), out, folder)
    if as_json:
        print_json(
            {"source": str(file), "file": str(out), "changed": any(s["kept"] for s in done), "steps": done}
        )
        return
    told = console(as_json)
    kept = [step["step"] for step in done if step["kept"]]
    did = ", ".join(kept) or "nothing to mend, the very same samples"
    told.print(f"{shown(file)} → {out}: {did}", soft_wrap=True, markup=False, highlight=False)
    for step in done:
        for line in _lines(step):
            told.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    for note in notes:
        told.print(note, markup=False, highlight=False, soft_wrap=True)


def _written(recording: Recording, out: Path, scratch: Path) -> list[str]:
    """What should be known of the file, which is there whole or as it was. Raises ClickException where it can't be
    written."""
    from resonate_studio.separating import as_flac

    notes: list[str] = []
    made = recording.path
    if out.suffix.lower() == ".flac":
        made = as_flac({"restored": recording}, scratch, notes)["restored"]
    try:
        with scratch_file(out) as part:
            shutil.copyfile(made, part)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise click.ClickException(f"--out: {out}: can't be written to ({reason})") from error
    return notes


def _lines(step: Mapping[str, Any]) -> Iterator[str]:
    by = f" by {step['engine']}" if step["engine"] else ""
    part = step["kept"]
    kept = "kept" if part == 1 else f"kept for {part:.0%} of the time" if part else "left out"
    yield f"{step['step']}{by} ({step['reason']}): {step['note']}; {kept}"
    for name, after in step["after"].items():
        if name in step["before"] and abs(after - step["before"][name]) > 0.05:
            yield f"  {name.replace('_', ' ')} {step['before'][name]:.1f} → {after:.1f}"
    yield from (f"  taken back: {reason}" for reason in step["taken_back"])
    yield from (f"  not by {why}" for why in step["passed_over"])
