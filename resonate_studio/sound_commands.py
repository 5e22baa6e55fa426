"""`resonate loudness`, `master` and `mix`: sound beside the graph."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import click

from resonate_resources.mastering.targets import TARGETS_LUFS, lufs_of
from resonate_studio.terminal import JSON, Command, console, print_json

if TYPE_CHECKING:
    from resonate_resources.mastering.brief import MasteringBrief
    from resonate_resources.mixing.brief import MixingBrief
    from resonate_resources.preset import Preset
    from resonate_resources.recordings.recording import Recording, Samples, Stems

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
            found = _measures(blocks, sample_rate, channels)
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
    with _decoded(file) as (recording, folder):
        from resonate_resources.recordings.tag_reading import read_tags

        into = folder / "master"
        into.mkdir()
        product = MasteringResource().master(recording, recording, brief, 0.0, read_tags(file), into)
        for label, path in beside.items():
            made = product.files[file_name(label, form)]
            with decoded(made) as (sample_rate, channels, blocks):
                measured = _measures(blocks, sample_rate, channels)
            measured |= {
                name: product.measures[measure_name(label, "", name)] for name in ("gain_db", "limiting_db")
            }
            measured |= {name: product.measures[name] for name in ("compressed_db", "clipped_db")}
            found.append({"file": str(path), **measured})
            shutil.copyfile(made, path)
    if as_json:
        one, *more = found
        print_json({**one, "notes": list(product.notes), **({"also": more} if more else {})})
        return
    told = console(as_json)
    for each in found:
        told.print(
            f"{each['file']}: {each['integrated_lufs']} LUFS, peaks at {each['true_peak_dbtp']} dBTP, limited by "
            f"{float(each['limiting_db']):.1f} dB",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for note in product.notes:
        told.print(note, markup=False, highlight=False, soft_wrap=True)


def _settings(section: str, assignments: Sequence[str]) -> dict[str, Any]:
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

    settings = _settings("mastering", assignments)
    if "mastering.formats" in settings:
        raise click.UsageError("--set: mastering.formats: the ending of --out says the format")
    try:
        return resolve([Layer("", {"mastering": asked}), Layer("", nested(settings))]).brief.mastering
    except BriefError as error:
        raise click.UsageError(str(error).removeprefix(": ")) from error


def _mixing_brief(assignments: Sequence[str]) -> MixingBrief:
    from resonate_resources.brief.layers import Layer, nested, resolve

    settings = _settings("mixing", assignments)
    wanted = resolve([Layer("", nested(settings))]).brief.mixing
    if wanted.balance in ("master-only", "auto"):
        raise click.UsageError(
            f"--set: mixing.balance={wanted.balance} needs a track, which stems alone are not"
        )
    return wanted


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


def _measures(blocks: Iterable[Samples], sample_rate: int, channels: int) -> dict[str, Any]:
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


@click.command(cls=Command)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="STEM_DIR")
@click.option(
    "--balance",
    type=click.Choice(["original", "standard", "reference"]),
    help="standard, the default: vocals 0, drums −3, bass −6, other −8 LU; original: as they are; reference: "
    "towards --reference.",
)
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A clean recording, best of the same piece, to whose levels, tone and width the stems are moved.",
)
@click.option(
    "--pumping-of",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="STEM_DIR",
    help="The original's stems, where these were played anew: bass and other duck under the kick as there.",
)
@click.option("--gain", "gains", multiple=True, metavar="STEM=DB", help="How much louder a stem is to be.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="mixing.NAME=VALUE",
    help="Any other setting of mixing: mixing.compress=1, mixing.duck_db=4, mixing.mono_bass=true, …",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The .wav to write, 32-bit float.",
)
@JSON
def mix(
    folder: Path,
    balance: Literal["original", "standard", "reference"] | None,
    reference: Path | None,
    pumping_of: Path | None,
    gains: tuple[str, ...],
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Mix the stems in STEM_DIR: vocals, drums, bass, other, piano, guitar, each a file of any kind of audio.

    They are taken for true stems, that hold nothing of each other, and are moved as far as it takes. Nobody
    conducts unless --set mixing.conductor=rules says so.
    """
    from resonate_resources.mixing.holdings import Worth
    from resonate_resources.mixing.material import FINISHED
    from resonate_resources.mixing.plan import MixPlan
    from resonate_resources.mixing.pumping import pumping
    from resonate_resources.mixing.resource import PLAN, MixingResource
    from resonate_resources.recordings.recording import Recording

    if out.suffix.lower() != ".wav" or not out.parent.is_dir():
        raise click.UsageError(f"--out: {out} is no .wav in a folder that exists")
    if out.exists() and out.parent.samefile(folder):
        raise click.UsageError("--out: is among the stems, which are never written to")
    asked = [f"mixing.balance={balance or ('reference' if reference else 'standard')}"]
    if reference is not None:
        asked.append(f"mixing.reference={reference.absolute()}")
    for gain in gains:
        if "=" not in gain:
            raise click.UsageError(f"--gain: {gain} is not of the form STEM=DB")
        asked.append(f"mixing.gains_db.{gain}")
    wanted = _mixing_brief(["mixing.conductor=none", *asked, *assignments])
    with _stems(folder) as (stems, scratch):
        mixing = MixingResource()
        worth = {name: [Worth(0.0, stem.duration, math.inf, 0.0)] for name, stem in stems.items()}
        planned = mixing.plan(stems, worth, FINISHED, wanted, scratch)
        plan = MixPlan.read(planned.files[PLAN])
        told = []
        if pumping_of is not None:
            with _stems(pumping_of) as (originals, _):
                heard = pumping(originals)
            depths = {} if heard is None else heard.depths_db
            ducked = ", ".join(f"{name} {depth:.1f} dB" for name, depth in depths.items() if name in stems)
            told = [f"ducked as the original pumps: {ducked or 'it does not'}"]
            plan = plan if heard is None else plan.model_copy(update={"ducking": heard})
        product = mixing.mix(stems, plan, scratch)
        mixed = Recording.open(product.files["mix.wav"])
        found = _measures(mixed.blocks(), mixed.sample_rate, mixed.channels)
        shutil.copyfile(product.files["mix.wav"], out)
    notes = [*planned.notes, *told, *product.notes]
    gains_db = {name: round(stem.gain_db, 2) for name, stem in plan.stems.items()}
    if as_json:
        print_json({"file": str(out), **found, "gains_db": gains_db, "notes": notes})
        return
    moves = ", ".join(f"{name} {gain:+.1f} dB" for name, gain in gains_db.items())
    loudness = "no loudness" if found["integrated_lufs"] is None else f"{found['integrated_lufs']} LUFS"
    for line in (f"{out}: {loudness}; {moves}", *notes):
        console(as_json).print(line, markup=False, highlight=False, soft_wrap=True)
