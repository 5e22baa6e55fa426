"""`resonate loudness` and `resonate master`: one file, beside the graph."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.terminal import JSON, Command, console, print_json

if TYPE_CHECKING:
    from resonate_resources.preset import Preset
    from resonate_resources.recordings.recording import Recording

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))

TARGETS_LUFS = {"spotify": -14.0, "youtube": -14.0, "apple": -16.0, "ebu-r128": -23.0, "club": -9.0}
"""Of integrated loudness: what Spotify and YouTube turn louder tracks down to, Apple's Sound Check, EBU R 128 for
broadcast; what club music is usually mastered to."""


@click.command(cls=Command)
@FILE
@JSON
def loudness(file: Path, as_json: bool) -> None:
    """Measure FILE after ITU-R BS.1770-5 and EBU R 128: loudness, range, peaks."""
    with _decoded(file) as (recording, _):
        found = _measures(recording)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        words, _, unit = name.rpartition("_")
        told = "none" if value is None else f"{value:.1f} {_UNITS[unit]}"
        click.echo(f"{words.replace('_', ' '):<22}{told}")


_UNITS = {"lufs": "LUFS", "lu": "LU", "dbtp": "dBTP", "dbfs": "dBFS"}


def _lufs(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Of a name or a number."""
    known = TARGETS_LUFS.get(value.lower())
    if known is not None:
        return known
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is neither a number nor one of {', '.join(TARGETS_LUFS)}"
        ) from error


@click.command(cls=Command)
@FILE
@click.option(
    "--target",
    callback=_lufs,
    metavar="NAME|LUFS",
    default="spotify",
    help=f"Loudness in LUFS, −36 to −6, or {', '.join(f'{name} ({at:g})' for name, at in TARGETS_LUFS.items())}.",
)
@click.option("--peak", type=float, default=-1.0, help="The most true peaks may be, in dBTP. Default: −1.")
@click.option(
    "--limiting", type=float, default=3.0, help="The most that peaks are limited by, in dB. Default: 3."
)
@click.option("--rate", type=click.Choice(["44100", "48000"]), help="Default: the file's own, or the nearer.")
@click.option(
    "--preset",
    type=click.Choice(["conservative", "balanced", "aggressive"]),
    default="balanced",
    help="How dense.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write; its ending says the format: .wav, .flac (24 bits) or .mp3 (320 kbit/s).",
)
@JSON
def master(
    file: Path,
    target: float,
    peak: float,
    limiting: float,
    rate: str | None,
    preset: Preset,
    out: Path,
    as_json: bool,
) -> None:
    """Master FILE to a loudness, under a ceiling of true peaks: gain, and as little limiting as it takes.

    What would need more limiting than is allowed comes out less loud, and says so.
    """
    from pydantic import ValidationError

    from resonate_resources.mastering.brief import FORMATS, MasteringBrief
    from resonate_resources.mastering.resource import MasteringResource
    from resonate_resources.recordings.recording import Recording

    form = next((form for form in FORMATS if out.suffix.lower() == f".{form}"), None)
    if form is None:
        raise click.UsageError(
            f"--out: {out.name} ends in none of {', '.join(f'.{form}' for form in FORMATS)}"
        )
    if not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}")
    if out.exists() and out.samefile(file):
        raise click.UsageError("--out: is FILE itself, which is never written to")
    try:
        brief = MasteringBrief(
            preset=preset,
            target_lufs=target,
            ceiling_dbtp=peak,
            limiting_db=limiting,
            sample_rate=None if rate is None else 44100 if rate == "44100" else 48000,
            formats=(form,),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise click.UsageError(
            f"{first['loc'][0]}: {first['input']} can't be used ({first['msg'].lower()})"
        ) from error
    with _decoded(file) as (recording, folder):
        from resonate_resources.recordings.decoding import decode
        from resonate_resources.recordings.tag_reading import read_tags

        into = folder / "master"
        into.mkdir()
        product = MasteringResource().master(recording, recording, brief, 0.0, read_tags(file), into)
        made = product.files[f"master.{form}"]
        again = folder / "again"
        again.mkdir()
        written = Recording.open(made) if form != "mp3" else decode(made, again).recording
        found = _measures(written) | {
            "gain_db": product.measures["gain_db"],
            "limiting_db": product.measures["limiting_db"],
            "notes": list(product.notes),
        }
        shutil.copyfile(made, out)
    if as_json:
        print_json({"file": str(out), **found})
        return
    told = console(as_json)
    told.print(
        f"{out}: {found['integrated_lufs']} LUFS, peaks at {found['true_peak_dbtp']} dBTP, limited by "
        f"{float(found['limiting_db']):.1f} dB",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for note in product.notes:
        told.print(note, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _decoded(file: Path) -> Iterator[tuple[Recording, Path]]:
    """The file as a recording, and a folder for what is made of it. What is wrong with it is one line."""
    from resonate_resources.recordings.decoding import decode
    from resonate_resources.recordings.limits import Limits
    from resonate_resources.recordings.recording import AudioError

    try:
        with TemporaryDirectory() as scratch:
            yield decode(file, Path(scratch), limits=Limits.from_environment()).recording, Path(scratch)
    except AudioError as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def _measures(recording: Recording) -> dict[str, Any]:
    """As `resonate loudness` tells them; None for silence, and for the loudness of under 400 ms."""
    from resonate_resources.signal.loudness import measure_loudness
    from resonate_resources.signal.true_peak import measure_sample_peak, measure_true_peak

    found = measure_loudness(recording)
    values = {
        "integrated_lufs": found.integrated_lufs,
        "loudness_range_lu": found.range_lu,
        "momentary_max_lufs": found.max_momentary_lufs,
        "short_term_max_lufs": found.max_short_term_lufs,
        "true_peak_dbtp": measure_true_peak(recording),
        "sample_peak_dbfs": measure_sample_peak(recording),
    }
    return {name: round(value, 2) if math.isfinite(value) else None for name, value in values.items()}
