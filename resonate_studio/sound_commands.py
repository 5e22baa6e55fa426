"""`resonate loudness` and `master`: sound beside the graph. `mix` has a module of its own."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_resources.mastering.targets import TARGETS_LUFS, lufs_of
from resonate_studio.stopping import scratch_file, scratch_folder, stoppable, tell_stopped
from resonate_studio.terminal import JSON, Command, console, print_json

if TYPE_CHECKING:
    from resonate_resources.mastering.brief import MasteringBrief
    from resonate_resources.preset import Preset
    from resonate_resources.recordings.recording import Recording, Samples

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command(cls=Command)
@FILE
@JSON
def loudness(file: Path, as_json: bool) -> None:
    """Measure FILE after ITU-R BS.1770-5 and EBU R 128: loudness, range, peaks."""
    from resonate_resources.recordings.decoding import decoded
    from resonate_resources.recordings.recording import AudioError
    from resonate_resources.signal.loudness import METERED_CHANNELS

    try:
        with decoded(file, METERED_CHANNELS) as (sample_rate, channels, blocks):
            found = measures_of(blocks, sample_rate, channels)
    except AudioError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        words, _, unit = name.rpartition("_")
        told = "none" if value is None else f"{value:.1f} {_UNITS[unit]}"
        click.echo(f"{words.replace('_', ' '):<22}{told}")


_UNITS = {"lufs": "LUFS", "lu": "LU", "dbtp": "dBTP", "dbfs": "dBFS"}


def _targets(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Each a name or a number."""
    try:
        for value in values:
            lufs_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return values


@click.command(cls=Command)
@FILE
@click.option(
    "--target",
    "targets",
    callback=_targets,
    metavar="NAME|LUFS",
    multiple=True,
    default=["spotify"],
    help=f"Loudness in LUFS, −36 to −6, or {', '.join(f'{name} ({at:g})' for name, at in TARGETS_LUFS.items())}. "
    "Each further one gets a file of its own beside --out.",
)
@click.option("--peak", type=float, default=-1.0, help="The most true peaks may be, in dBTP. Default: −1.")
@click.option(
    "--limiting",
    type=float,
    help="The most that peaks are limited by, in dB. Default: 3, and no more than brings half of it in loudness.",
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
    help="How dense it becomes, where --set mastering.compress=1 asks for that. Default: balanced.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="mastering.NAME=VALUE",
    help="Any setting of mastering, over what other options say: mastering.compress=1, …",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write; its ending says the format: .wav, .flac, .mp3, .m4a (AAC) or .opus.",
)
@JSON
def master(
    file: Path,
    targets: tuple[str, ...],
    peak: float,
    limiting: float | None,
    reference: Path | None,
    amount: float,
    rate: str | None,
    bits: str,
    preset: Preset,
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Master FILE to a loudness, under a ceiling of true peaks: gain, and as little limiting as it takes; towards a
    reference, if one is given.

    What would need more limiting than is allowed comes out less loud, and says so. FILE is taken for finished
    music, which nothing compresses unless --set mastering.compress=1 says so.
    """
    from resonate_resources.mastering.brief import FORMATS
    from resonate_resources.mastering.resource import MasteringResource
    from resonate_resources.mastering.targets import file_name, measure_name
    from resonate_resources.recordings.decoding import decoded

    form = next((form for form in FORMATS if out.suffix.lower() == f".{form}"), None)
    if form is None:
        raise click.UsageError(
            f"--out: {out.name} ends in none of {', '.join(f'.{form}' for form in FORMATS)}"
        )
    if not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}")
    if reference is None and amount != 1:
        raise click.UsageError("--amount: is how far towards a --reference, and there is none")
    first, *further = targets
    asked = {
        "preset": preset,
        "target_lufs": lufs_of(first),
        "also": further,
        "ceiling_dbtp": peak,
        "limiting_db": limiting,
        "reference": str(reference.absolute()) if reference else "",
        "reference_amount": amount,
        "sample_rate": None if rate is None else int(rate),
        "bits": int(bits),
        "formats": [form],
    }
    brief = _mastering_brief(asked, assignments)
    beside = {label: out if not label else out.with_stem(f"{out.stem}-{label}") for label in brief.targets}
    read = [file, *([Path(brief.reference)] if brief.reference else [])]
    if taken := [path for path in beside.values() if path.exists() and any(map(path.samefile, read))]:
        raise click.UsageError(
            f"--out: {taken[0].name} is FILE itself, or the reference, which are never written to"
        )
    found: list[dict[str, Any]] = []
    with decoded_file(file) as (recording, folder):
        from resonate_resources.recordings.tag_reading import read_tags

        into = folder / "master"
        into.mkdir()
        product = MasteringResource().master(recording, recording, brief, 0.0, read_tags(file), into)
        for label, path in beside.items():
            made = product.files[file_name(label, form)]
            with decoded(made) as (sample_rate, channels, blocks):
                measured = measures_of(blocks, sample_rate, channels)
            measured |= {
                name: product.measures[measure_name(label, "", name)] for name in ("gain_db", "limiting_db")
            }
            measured |= {name: product.measures[name] for name in ("compressed_db", "clipped_db")}
            found.append({"file": str(path), **measured})
            with scratch_file(path) as part:
                shutil.copyfile(made, part)
    if as_json:
        one, *more = found
        print_json({**one, "notes": list(product.notes), **({"also": more} if more else {})})
        return
    told = console(as_json)
    for each in found:
        loudness, peak_dbtp = each["integrated_lufs"], each["true_peak_dbtp"]
        loud = "no loudness" if loudness is None else f"{loudness} LUFS"
        peaks = "silence" if peak_dbtp is None else f"peaks at {peak_dbtp} dBTP"
        told.print(
            f"{each['file']}: {loud}, {peaks}, limited by {float(each['limiting_db']):.1f} dB",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for note in product.notes:
        told.print(note, markup=False, highlight=False, soft_wrap=True)


def settings_of(section: str, assignments: Sequence[str]) -> dict[str, Any]:
    """`section.name` → value; later ones win. One that is of another section is told."""
    from resonate_studio.brief_commands import parsed

    settings = parsed(assignments)
    foreign = next((name for name in settings if not name.startswith(f"{section}.")), None)
    if foreign is not None:
        raise click.UsageError(
            f"--set: {foreign} is none of {section}'s settings (docs/briefs.md lists them)"
        )
    return settings


def _mastering_brief(asked: dict[str, Any], assignments: Sequence[str]) -> MasteringBrief:
    """asked: name → value; assignments win."""
    from resonate_resources.brief.layers import BriefError, Layer, nested, resolve

    settings = settings_of("mastering", assignments)
    if "mastering.formats" in settings:
        raise click.UsageError("--set: mastering.formats: the ending of --out says the format")
    try:
        return resolve([Layer("", {"mastering": asked}), Layer("", nested(settings))]).brief.mastering
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error


@contextmanager
def decoded_file(file: Path) -> Iterator[tuple[Recording, Path]]:
    """The file as a recording, and a folder for what is made of it. What is wrong with it is one line."""
    from resonate_resources.recordings.decoding import decode
    from resonate_resources.recordings.limits import Limits
    from resonate_resources.recordings.recording import AudioError

    try:
        with stoppable() as stopping, scratch_folder() as scratch:
            stopping.tell = tell_stopped
            yield decode(file, scratch, limits=Limits.from_environment()).recording, scratch
    except AudioError as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def measures_of(blocks: Iterable[Samples], sample_rate: int, channels: int) -> dict[str, Any]:
    """As `resonate loudness` tells them; None for silence, and for the loudness of under 400 ms."""
    from resonate_resources.signal.loudness import LoudnessMeter
    from resonate_resources.signal.true_peak import SamplePeakMeter, TruePeakMeter

    loudness, peak = LoudnessMeter(sample_rate, channels), TruePeakMeter(sample_rate, channels)
    sample_peak = SamplePeakMeter()
    for block in blocks:
        loudness.update(block)
        peak.update(block)
        sample_peak.update(block)
    found = loudness.measured()
    values = {
        "integrated_lufs": found.integrated_lufs,
        "loudness_range_lu": found.range_lu,
        "momentary_max_lufs": found.max_momentary_lufs,
        "short_term_max_lufs": found.max_short_term_lufs,
        "true_peak_dbtp": peak.peak(),
        "sample_peak_dbfs": sample_peak.peak(),
    }
    return {name: round(value, 2) if math.isfinite(value) else None for name, value in values.items()}
