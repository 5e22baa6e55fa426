"""`resonate compose`: words to a track, beside the graph."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.midi_command import copied_to, refuse_unwritable
from resonate_studio.stopping import scratch_folder, stoppable, tell_stopped
from resonate_studio.terminal import HOME, JSON, Command, console, plain, print_json
from resonate_studio.trouble import trouble

if TYPE_CHECKING:
    from resonate_resources.composition.engines.engine import CompositionEngine
    from resonate_resources.composition.heard_reference import HeardReference
    from resonate_resources.composition.resource import CompositionResource
    from resonate_resources.recipe import Json

ENGINES = (
    "composer",
    "musicgen",
    "musicgen-melody",
    "musicgen-style",
    "musicgen-hosted",
    "ace-step",
    "ace-step-lego",
    "jasco",
)
_LARGEST_SEED = 2**31 - 1
_SHOWN_FILES = (
    "master.wav",
    "mix.wav",
    "vocals.wav",
    "drums.wav",
    "bass.wav",
    "other.wav",
    "all.mid",
    "plan.json",
)


@click.command(cls=Command)
@click.argument("prompt", default="")
@HOME
@click.option("--bpm", type=float, help="Beats a minute, whatever the words say.")
@click.option("--key", help='As in "C minor" or "F# major", whatever the words say.')
@click.option("--duration", type=float, metavar="SECONDS", help="How long it is to be, within a bar.")
@click.option("--seed", type=click.IntRange(0, _LARGEST_SEED), default=0, help="Another one: another piece.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    help="What makes its sound: composer (by rules; needs no model and no network), or from its plan MusicGen, "
    "ACE-Step or JASCO, whose weights are put by hand, or a service that is paid (musicgen-hosted). MusicGen's and "
    "JASCO's are not for commercial use.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A plan.json of before, maybe edited: played as it is; the words and the seed are not needed.",
)
@click.option(
    "--reference",
    "reference_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A recording in whose style it is to be: tempo, key, metre, form, density, swing and balance are as there "
    "where the words say nothing. No words are needed then.",
)
@click.option(
    "--reference-loudness", is_flag=True, help="Master it as loud as the reference, not to −14 LUFS."
)
@click.option(
    "--reference-sounds",
    is_flag=True,
    help="Let its own drums, bass and other instruments play what they can, cut out of its stems. Whoever holds "
    "the rights in it holds them in these.",
)
@click.option("--by-model", is_flag=True, help="Have the language model that is set up read the words.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to: mix.wav, master.wav, STEM.wav, parts/, MIDI, plan.json, composition.json.",
)
@JSON
def compose(
    prompt: str,
    home: Path | None,
    bpm: float | None,
    key: str | None,
    duration: float | None,
    seed: int,
    engine: str,
    plan_file: Path | None,
    reference_file: Path | None,
    reference_loudness: bool,
    reference_sounds: bool,
    by_model: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Compose a track from the words of PROMPT, with its stems, MIDI, mix and master.

    What was understood, and what was assumed, is told. The same words, options and seed give the same track.
    """
    from resonate_resources.brief.section import STEM_NAMES
    from resonate_resources.composition.engines.choosing import choose
    from resonate_resources.composition.plan import Plan
    from resonate_resources.composition.stating import state
    from resonate_resources.recordings.recording import AudioError
    from resonate_studio.composing import TARGET_LUFS
    from resonate_studio.composing import compose as composed_from

    began = time.perf_counter()
    if plan_file and (prompt or by_model or reference_file or any((bpm, key, duration))):
        raise click.UsageError(
            "--plan: is played as it is; leave the words, and what is said beside them, out"
        )
    if reference_loudness and not reference_file:
        raise click.UsageError("--reference-loudness: needs --reference")
    if reference_sounds and not (reference_file and engine == "composer"):
        raise click.UsageError("--reference-sounds: needs --reference, and the engine composer")
    refuse_unwritable(out)
    with stoppable() as stopping, scratch_folder() as scratch:
        stopping.tell = tell_stopped
        try:
            chosen = choose(engine, referenced=reference_file is not None)
            composition = _composition(home if by_model else None, by_model)
            told: Mapping[str, Json]
            heard = _hear(reference_file, chosen, home, reference_sounds, scratch) if reference_file else None
            if plan_file:
                plan = Plan.read(plan_file)
                plans, told, title = (
                    iter([plan]),
                    {"prompt": "", "seed": plan.seed, "from": plan_file.name},
                    plan.title,
                )
            else:
                said: dict[str, Json] = {"bpm": bpm and [bpm, bpm], "key": key, "duration_s": duration}
                stated = {name: value for name, value in said.items() if value is not None}
                read = composition.understand(prompt, by_model, alone=heard is not None)
                wanted = composition.want(
                    prompt, state(read, stated), seed, heard.reference if heard else None
                )
                plans, told, title = wanted.plans(), wanted.told(), wanted.request.title
            made = composed_from(
                composition,
                plans,
                told,
                title,
                scratch,
                chosen,
                heard,
                heard.loudness_lufs if heard and reference_loudness else TARGET_LUFS,
            )
        except AudioError as error:
            raise click.ClickException(" ".join(str(error).split())) from error
        except OSError as error:
            raise click.ClickException(trouble(error)) from error
        written = copied_to(out, made.files)
    seconds = round(time.perf_counter() - began, 1)
    if not as_json:
        _tell(made.report, made.notes, written, seconds)
        return
    print_json(
        {
            "request": made.report.get("request"),
            "understanding": made.report.get("understanding"),
            "from_reference": made.report.get("from_reference"),
            "assumed": made.report.get("assumed"),
            "engine": made.report["engine"],
            "label": made.report["label"],
            "seed": made.report["seed"],
            "tries": made.report["tries"],
            "mix": written["mix.wav"],
            "master": written["master.wav"],
            "stems": {name: written[f"{name}.wav"] for name in STEM_NAMES if f"{name}.wav" in written},
            "files": written,
            "qa": made.qa,
            "notes": list(made.notes),
            "seconds": seconds,
        }
    )


def _hear(
    file: Path, engine: CompositionEngine, home: Path | None, sounds: bool, scratch: Path
) -> HeardReference:
    """A reference, of whose sound an engine is given what it asks for. Raises AudioError."""
    from resonate_assets.referencing import REFERENCE, hear_reference
    from resonate_resources.analysis.resource import AnalysisResource
    from resonate_resources.composition.engines.composer import Composer
    from resonate_resources.composition.engines.engine import StyledEngine
    from resonate_resources.profiling.resource import ProfilingResource
    from resonate_resources.recordings.recording import Recording
    from resonate_studio.reference_sounds import sounds_of

    heard = hear_reference(file, scratch, ProfilingResource(), AnalysisResource())
    if isinstance(engine, StyledEngine):
        engine.reference = Recording.open(scratch / REFERENCE)
    if sounds and isinstance(engine, Composer):
        engine.play_by(sounds_of(file, home, scratch, scratch / "sounds"))
    return heard


def _composition(home: Path | None, by_model: bool) -> CompositionResource:
    from resonate_resources.composition.resource import CompositionResource
    from resonate_studio.home import settings_for

    model = settings_for(home).conductor if by_model else None
    return CompositionResource(
        conductor_model=model.name if model else "",
        conductor_server=model.server if model else "",
        conductor_key_variable=model.key_variable if model else "",
    )


def _tell(
    report: Mapping[str, Any], notes: Sequence[str], written: Mapping[str, str], seconds: float
) -> None:
    terminal = console(False)

    def line(text: str) -> None:
        terminal.print(text, markup=False, highlight=False, soft_wrap=True)

    plan = report["plan"]
    line(
        f"{plain(plan['title'])}: {plan['genre'].replace('_', ' ')}, {plan['bpm']:g} BPM, {plan['key']}, "
        f"{plan['metre']}, {report['label']}, seed {plan['seed']}, {seconds:.0f} s"
    )
    told = (("understood", "understanding"), ("reference", "from_reference"), ("assumed", "assumed"))
    for name, readings in told:
        found = report.get(readings)
        found = found["readings"] if isinstance(found, dict) else found
        for reading in found or ():
            words = f" ({plain(reading['words'])})" if reading["words"] and name == "understood" else ""
            line(f"  {name:10} {reading['field']:12} {plain(reading['value'])}{words}")
    understanding = report.get("understanding") or {}
    for field in understanding.get("contradictory", ()):
        line(f"  {field}: what is said contradicts itself, and was left out")
    if unknown := understanding.get("not_understood"):
        line(f"  not understood: {plain(', '.join(unknown))}")
    for note in (
        *(report.get("reference") or {}).get("remarks", ()),
        *understanding.get("remarks", ()),
        *notes,
    ):
        line(f"  {plain(note)}")
    for name, verdict in report["qa"].items():
        line(f"  {'passed' if verdict['passed'] else 'FAILED':10} {name:12} {verdict['detail']}")
    for name in _SHOWN_FILES:
        line(f"  {written[name]}")
