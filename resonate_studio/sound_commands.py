"""`resonate loudness`, `master` and `mix`: sound beside the graph."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import click

from resonate_studio.terminal import JSON, Command, console, print_json

if TYPE_CHECKING:
    from resonate_resources.mixing.brief import MixingBrief
    from resonate_resources.preset import Preset
    from resonate_resources.recordings.recording import Recording, Stems

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
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A clean recording, towards whose tone and width FILE is moved.",
)
@click.option("--amount", type=float, default=1.0, help="How far towards it, 0 to 1. Default: 1.")
@click.option("--rate", type=click.Choice(["44100", "48000"]), help="Default: the file's own, or the nearer.")
@click.option(
    "--bits", type=click.Choice(["16", "24", "32"]), default="24", help="Of WAV (32: float) and FLAC."
)
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
    help="The file to write; its ending says the format: .wav, .flac or .mp3 (320 kbit/s).",
)
@JSON
def master(
    file: Path,
    target: float,
    peak: float,
    limiting: float,
    reference: Path | None,
    amount: float,
    rate: str | None,
    bits: str,
    preset: Preset,
    out: Path,
    as_json: bool,
) -> None:
    """Master FILE to a loudness, under a ceiling of true peaks: gain, and as little limiting as it takes; towards a
    reference, if one is given.

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
    if out.exists() and (out.samefile(file) or (reference and out.samefile(reference))):
        raise click.UsageError("--out: is FILE itself, or the reference, which are never written to")
    if reference is None and amount != 1:
        raise click.UsageError("--amount: is how far towards a --reference, and there is none")
    try:
        brief = MasteringBrief(
            preset=preset,
            target_lufs=target,
            ceiling_dbtp=peak,
            limiting_db=limiting,
            reference=str(reference.absolute()) if reference else "",
            reference_amount=amount,
            sample_rate=None if rate is None else 44100 if rate == "44100" else 48000,
            bits=16 if bits == "16" else 24 if bits == "24" else 32,
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


def _mixing_brief(assignments: list[str]) -> MixingBrief:
    from resonate_resources.brief.layers import Layer, nested, resolve
    from resonate_studio.brief_commands import parsed

    return resolve([Layer("", nested(parsed(assignments)))]).brief.mixing


@contextmanager
def _stems(folder: Path) -> Iterator[tuple[Stems, Path]]:
    """The stems in a folder, and a folder for what is made of them. What is wrong with them is one line."""
    from resonate_resources.brief.section import STEM_NAMES
    from resonate_resources.recordings.decoding import decode
    from resonate_resources.recordings.limits import Limits
    from resonate_resources.recordings.recording import AudioError

    files = {file.stem.lower(): file for file in sorted(folder.iterdir()) if file.is_file()}
    named = {name: files[name] for name in STEM_NAMES if name in files}
    if not named:
        raise click.ClickException(f"{folder}: holds none of {', '.join(STEM_NAMES)}, as files of audio")
    try:
        with TemporaryDirectory() as scratch:
            stems: Stems = {}
            for name, file in named.items():
                into = Path(scratch) / name
                into.mkdir()
                stems[name] = decode(file, into, limits=Limits.from_environment()).recording
            shapes = {name: (stem.sample_rate, stem.channels, stem.frames) for name, stem in stems.items()}
            if len(set(shapes.values())) > 1:
                told = "; ".join(
                    f"{named[name].name} {rate} Hz, {channels} channels, {frames} frames"
                    for name, (rate, channels, frames) in shapes.items()
                )
                raise AudioError(f"{folder}: stems must have one rate, channels and length, but: {told}")
            yield stems, Path(scratch)
    except AudioError as error:
        raise click.ClickException(" ".join(str(error).split())) from error


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


@click.command(cls=Command)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="STEM_DIR")
@click.option(
    "--balance",
    type=click.Choice(["original", "standard"]),
    default="standard",
    help="standard: vocals 0, drums −3, bass −6, other −8 LU; original: as they are.",
)
@click.option("--gain", "gains", multiple=True, metavar="STEM=DB", help="How much louder a stem is to be.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The .wav to write, 32-bit float.",
)
@JSON
def mix(
    folder: Path, balance: Literal["original", "standard"], gains: tuple[str, ...], out: Path, as_json: bool
) -> None:
    """Mix the stems in STEM_DIR: vocals, drums, bass, other, piano, guitar, each a file of any kind of audio.

    They are taken for true stems, that hold nothing of each other, and are moved as far as it takes.
    """
    from resonate_resources.mixing.holdings import Worth
    from resonate_resources.mixing.plan import MixPlan
    from resonate_resources.mixing.resource import PLAN, MixingResource
    from resonate_resources.recordings.recording import Recording
    from resonate_resources.signal.octaves import OCTAVES_HZ

    if out.suffix.lower() != ".wav" or not out.parent.is_dir():
        raise click.UsageError(f"--out: {out} is no .wav in a folder that exists")
    if out.exists() and out.parent.samefile(folder):
        raise click.UsageError("--out: is among the stems, which are never written to")
    wanted = _mixing_brief([f"mixing.balance={balance}", *(f"mixing.gains_db.{gain}" for gain in gains)])
    with _stems(folder) as (stems, scratch):
        mixing = MixingResource()
        worth = {name: [Worth(0.0, stem.duration, math.inf, 0.0)] for name, stem in stems.items()}
        planned = mixing.plan(stems, worth, 0.0, [0.0] * len(OCTAVES_HZ), wanted, scratch)
        plan = MixPlan.read(planned.files[PLAN])
        product = mixing.mix(stems, plan, scratch)
        found = _measures(Recording.open(product.files["mix.wav"]))
        shutil.copyfile(product.files["mix.wav"], out)
    gains_db = {name: round(stem.gain_db, 2) for name, stem in plan.stems.items()}
    if as_json:
        print_json({"file": str(out), **found, "gains_db": gains_db, "notes": list(product.notes)})
        return
    moves = ", ".join(f"{name} {gain:+.1f} dB" for name, gain in gains_db.items())
    for line in (f"{out}: {found['integrated_lufs']} LUFS; {moves}", *product.notes):
        console(as_json).print(line, markup=False, highlight=False, soft_wrap=True)
