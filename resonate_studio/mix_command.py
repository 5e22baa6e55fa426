"""`resonate mix`: stems to a mix, beside the graph."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import click

from resonate_studio.sound_commands import measures_of, settings_of
from resonate_studio.stopping import scratch_file
from resonate_studio.terminal import JSON, Command, console, print_json

if TYPE_CHECKING:
    from resonate_resources.mixing.brief import MixingBrief
    from resonate_resources.recordings.recording import Stems


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
    help="Any other setting of mixing: mixing.compress=1, mixing.duck_db=4, mixing.mono_bass=true, …; it wins over "
    "the options above.",
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
        raise click.UsageError(f"--out: {out.name} is no .wav, or there is no folder {out.parent}")
    if out.exists() and out.parent.samefile(folder):
        raise click.UsageError("--out: is among the stems, which are never written to")
    if (
        balance == "reference"
        and reference is None
        and not any("mixing.reference" in each for each in assignments)
    ):
        raise click.UsageError("--balance reference: give the recording, too: --reference FILE")
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
        found = measures_of(mixed.blocks(), mixed.sample_rate, mixed.channels)
        with scratch_file(out) as part:
            shutil.copyfile(product.files["mix.wav"], part)
    notes = [*planned.notes, *told, *product.notes]
    gains_db = {name: round(stem.gain_db, 2) for name, stem in plan.stems.items()}
    if as_json:
        print_json({"file": str(out), **found, "gains_db": gains_db, "notes": notes})
        return
    moves = ", ".join(f"{name} {gain:+.1f} dB" for name, gain in gains_db.items())
    loudness = "no loudness" if found["integrated_lufs"] is None else f"{found['integrated_lufs']} LUFS"
    for line in (f"{out}: {loudness}; {moves}", *notes):
        console(as_json).print(line, markup=False, highlight=False, soft_wrap=True)


def _mixing_brief(assignments: Sequence[str]) -> MixingBrief:
    from resonate_resources.brief.layers import Layer, nested, resolve

    settings = settings_of("mixing", assignments)
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

    files = {_stem_in(file.stem): file for file in sorted(folder.iterdir()) if file.is_file()}
    named = {name: files[name] for name in STEM_NAMES if name in files}
    if not named:
        raise click.ClickException(
            f"{folder}: holds none of {', '.join(STEM_NAMES)}, as files of audio called "
            "`vocals.wav` or `… (Vocals).wav`"
        )
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
                raise AudioError(
                    f"{folder}: stems must have one rate, channels and length (export them from one project, from "
                    f"its start to its end), but: {told}"
                )
            yield stems, Path(scratch)
    except AudioError as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def _stem_in(name: str) -> str:
    """`vocals` of `vocals`, and of `Artist - Title (Vocals)`, as exports are called."""
    exported = re.fullmatch(r".*\(([^()]+)\)", name)
    return (exported[1] if exported else name).lower()
