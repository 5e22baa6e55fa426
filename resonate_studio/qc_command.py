"""`resonate qc`: how like its reference a recording is, beside the graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_studio.sound_commands import decoded_file
from resonate_studio.terminal import JSON, Command, print_json

if TYPE_CHECKING:
    from resonate_resources.quality.music import Music
    from resonate_resources.quality.scales import Purpose
    from resonate_resources.recordings.recording import Recording

_BAR = 30


@click.command(cls=Command)
@click.argument("reference", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("candidate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--as",
    "purpose",
    type=click.Choice(["rebuilt", "master"]),
    default="rebuilt",
    show_default=True,
    help="rebuilt: the same music made anew, judged by all; master: by what a master may not change.",
)
@JSON
def qc(reference: Path, candidate: Path, purpose: Purpose, as_json: bool) -> None:
    """Score how like REFERENCE the recording CANDIDATE is, 0 to 100 in sixteen dimensions, and tell what differs:
    which seconds, which band."""
    from resonate_resources.quality.comparison import compare, listen
    from resonate_resources.quality.report import as_json as json_of
    from resonate_resources.quality.report import findings, told
    from resonate_resources.recordings.decoding import decode
    from resonate_resources.recordings.limits import Limits

    with decoded_file(reference) as (original, folder):
        into = folder / "candidate"
        into.mkdir()
        judged = decode(candidate, into, limits=Limits.from_environment()).recording
        comparison = compare(listen(original, _music_of(original, folder)), judged, purpose)
    found = findings(comparison)
    if as_json:
        print_json(json_of(comparison, found))
        return
    for name, score in comparison.scores.items():
        filled = "█" * round(score / 100 * _BAR)
        click.echo(f"{name.replace('_', ' '):<28}{score:>5.0f}  {filled}")
    click.echo()
    for line in told(comparison, found):
        click.echo(line)


def _music_of(recording: Recording, folder: Path) -> Music:
    """Beats, key and sections as the profile of a track tells them."""
    from resonate_resources.harmony.chords import KeyFrom
    from resonate_resources.profiling.brief import ProfileBrief
    from resonate_resources.profiling.profile import Profile
    from resonate_resources.profiling.resource import ProfilingResource
    from resonate_resources.quality.music import Music

    into = folder / "profile"
    into.mkdir()
    ProfilingResource().profile(recording, ProfileBrief(), into)
    profile = Profile.read(into / "profile.json")
    return Music(
        beats_s=profile.beats_s,
        starts_s=[section.start_s for section in profile.sections],
        keys=[KeyFrom(span.start_s, span.key) for span in profile.keys],
        tuning_cents=profile.tuning_cents or 0.0,
    )
