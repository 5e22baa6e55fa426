"""`resonate rebuild`: a file's stems played anew, beside the graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.midi_command import copied_to, refuse_unwritable, unwritable
from resonate_studio.sound_commands import FILE, decoded_file, settings_of
from resonate_studio.stopping import scratch_folder, stoppable, tell_stopped
from resonate_studio.terminal import HOME, JSON, Command, console, print_json, shown

if TYPE_CHECKING:
    from resonate_resources.recipe import Product
    from resonate_resources.regeneration.brief import RegenerationBrief

_WORTH_TELLING = 0.01


@click.command(cls=Command)
@FILE
@HOME
@click.option(
    "--rounds",
    type=click.IntRange(0, 100),
    help="How often it is judged and one decision changed, at most. Default: 4.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="regeneration.NAME=VALUE",
    help="regeneration.instruments=soundfont, regeneration.minutes=2: docs/briefs.md says what there is.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to: STEM.wav, rebuilt.wav (their sum), and reports of it.",
)
@JSON
def rebuild(
    file: Path,
    home: Path | None,
    rounds: int | None,
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Play the stems of FILE anew by instruments made from them, and better what is worst for as many rounds as are
    asked.

    FILE is separated first, unless that was done before.
    """
    given = assignments if rounds is None else (*assignments, f"regeneration.rounds={rounds}")
    with stoppable() as stopping:
        stopping.tell = tell_stopped
        brief = _brief(given)
        refuse_unwritable(out)
        _refuse_the_file_itself(file, out)
        with scratch_folder() as scratch:
            product, scores = _rebuilt(file, home, brief, scratch)
            earlier = (out / "regeneration.json").is_file()
            written = copied_to(out, {**product.files, **product.reports})
            report = json.loads(product.reports["regeneration.json"].read_text(encoding="utf-8"))
            curve = product.reports.get("loop.json")
            if curve is None and earlier:
                _forget_rounds(out)
            loop = json.loads(curve.read_text(encoding="utf-8")) if curve else None
    if as_json:
        told = {"source": str(file), **scores, "loop": loop, "stems": report["stems"]}
        print_json({**told, "files": written, "remarks": list(product.notes)})
        return
    _tell(file, scores, report["stems"], written, product.notes)


def _refuse_the_file_itself(file: Path, out: Path) -> None:
    """Before anything is heard. Raises UsageError where what is written would take the place of FILE."""
    from resonate_resources.brief.section import STEM_NAMES
    from resonate_resources.recordings.recording import REBUILT
    from resonate_resources.regeneration.resource import LEFT_OUT

    for name in (*(f"{stem}.wav" for stem in STEM_NAMES), REBUILT, LEFT_OUT):
        path = out / name
        if path.exists() and path.samefile(file):
            raise click.UsageError(f"--out: {name} in {out} is FILE itself, which is never written to")


def _forget_rounds(out: Path) -> None:
    """What an earlier rebuild with rounds told in that folder. Raises ClickException."""
    from resonate_resources.regeneration.loop import LOOP
    from resonate_resources.regeneration.resource import PICTURE

    try:
        for name in (LOOP, PICTURE):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error


def _tell(
    file: Path,
    scores: dict[str, Any],
    stems: dict[str, Any],
    written: dict[str, str],
    notes: tuple[str, ...],
) -> None:
    from resonate_assets.acceptance import likeness

    terminal = console(False)
    verdict = likeness(scores["total"], scores["accepted"])
    no_copy = scores["leave_one_out_total"]
    beside = "" if no_copy is None else f", {no_copy:.0f} with no note played by its own recording"
    terminal.print(
        f"{shown(file)}: {scores['total']:.0f} of 100 ({verdict}){beside}", soft_wrap=True, highlight=False
    )
    for name, stem in stems.items():
        by = "kept" if stem["kept"] else stem.get("label", "silence")
        copied = stem.get("copied", 0)
        own = f", {copied:.0%} of it its own recording" if copied >= _WORTH_TELLING else ""
        terminal.print(
            f"  {name:8} {f'{by}{own}':24} {written[f'{name}.wav']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    for note in notes:
        terminal.print(f"  {note}", markup=False, highlight=False, soft_wrap=True)


def _brief(assignments: tuple[str, ...]) -> RegenerationBrief:
    from resonate_resources.brief.layers import BriefError, Layer, nested, resolve

    try:
        return resolve([Layer("", nested(settings_of("regeneration", assignments)))]).brief.regeneration
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error


def _rebuilt(
    file: Path, home: Path | None, brief: RegenerationBrief, into: Path
) -> tuple[Product, dict[str, Any]]:
    """What was made, and how like FILE it is. What is wrong with the file or the home is one line."""
    from resonate_resources.analysis.analysis import ANALYSIS
    from resonate_resources.analysis.resource import AnalysisResource, Grid
    from resonate_resources.profiling.brief import ProfileBrief
    from resonate_resources.profiling.profile import Profile
    from resonate_resources.profiling.resource import ProfilingResource
    from resonate_resources.quality.comparison import compare, listen
    from resonate_resources.quality.music import Music as KnownMusic
    from resonate_resources.quality.resource import QualityResource
    from resonate_resources.recordings.music import Music
    from resonate_resources.recordings.recording import REBUILT, AudioError, Recording
    from resonate_resources.regeneration.facts import Heard
    from resonate_resources.regeneration.resource import LEFT_OUT, RegenerationResource
    from resonate_resources.transcription.brief import TranscriptionBrief
    from resonate_resources.transcription.resource import TranscriptionResource
    from resonate_studio.home import settings_for
    from resonate_studio.separating import stems_in
    from resonate_studio.trouble import trouble

    stems = stems_in(home, file)
    folders = {name: into / name for name in ("profile", "analysis", "notes", "rebuilt")}
    try:
        for folder in folders.values():
            folder.mkdir()
        with decoded_file(file) as (track, _):
            ProfilingResource().profile(track, ProfileBrief(), folders["profile"])
            profile = Profile.read(folders["profile"] / "profile.json").model_dump(mode="json")
            AnalysisResource().analyse(track, stems, Grid.of(profile), folders["analysis"])
            analysis = json.loads((folders["analysis"] / ANALYSIS).read_text(encoding="utf-8"))
            notes = TranscriptionResource().transcribe(
                stems, Music.of(profile), TranscriptionBrief(), folders["notes"]
            )
            midi = {
                name.removesuffix(".mid"): path for name, path in notes.files.items() if _is_of_a_stem(name)
            }
            known = KnownMusic.of(profile, analysis)
            model = settings_for(home).conductor
            regeneration = RegenerationResource(
                conductor_model=model.name if model else "",
                conductor_server=model.server if model else "",
                conductor_key_variable=model.key_variable if model else "",
            )
            made = regeneration.regenerate(
                midi,
                stems,
                Heard.model_validate({"profile": profile, "analysis": analysis}),
                brief,
                folders["rebuilt"],
                QualityResource().judge_of(track, known, stems) if brief.rounds else None,
            )
            heard = listen(track, known)
            whole = compare(heard, Recording.open(made.files[REBUILT]))
            left_out = (
                compare(heard, Recording.open(made.files[LEFT_OUT])) if LEFT_OUT in made.files else None
            )
    except AudioError as error:
        text = " ".join(str(error).split())
        raise click.ClickException(text if text.startswith(file.name) else f"{file.name}: {text}") from error
    except OSError as error:
        raise click.ClickException(trouble(error)) from error
    return made, {
        "total": whole.total,
        "accepted": whole.accepted,
        "matched": whole.matched,
        "leave_one_out_total": left_out and left_out.total,
    }


def _is_of_a_stem(name: str) -> bool:
    return name.endswith(".mid") and "/" not in name
