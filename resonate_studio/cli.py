"""The command line: `process`, `demo` and `prepare`, and the other commands, each from a module of its own."""

from __future__ import annotations

import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resonate_studio.backup_command import backup
from resonate_studio.batch import Batch
from resonate_studio.batch_command import batch
from resonate_studio.brief_commands import brief
from resonate_studio.cache_commands import cache
from resonate_studio.cluster_commands import daemon, run_worker
from resonate_studio.compose_command import compose
from resonate_studio.dev_command import dev
from resonate_studio.doctor_command import doctor
from resonate_studio.export_command import export, export_ableton
from resonate_studio.gpu_command import gpu
from resonate_studio.library_commands import library
from resonate_studio.listen_command import listen
from resonate_studio.midi_command import midi
from resonate_studio.mix_command import mix
from resonate_studio.profile_command import profile
from resonate_studio.qc_command import qc
from resonate_studio.rebuild_command import rebuild
from resonate_studio.remix_command import remix
from resonate_studio.requirements import require_all
from resonate_studio.restore_command import restore
from resonate_studio.separation_commands import engines, separate
from resonate_studio.sound_commands import loudness, master
from resonate_studio.status_command import status
from resonate_studio.stopping import stoppable
from resonate_studio.studio_command import studio
from resonate_studio.terminal import FILES, HOME, JSON, Group, speak_any_language
from resonate_studio.terminal import console as console_of
from resonate_studio.track_commands import remove, retry
from resonate_studio.watching.commands import health, metrics
from resonate_studio.workers_command import workers

if TYPE_CHECKING:
    from resonate_resources.preset import Preset


@click.group(cls=Group)
@click.version_option(version("resonate-studio"), prog_name="resonate")
def main() -> None:
    """Any track into studio material: stems, restoration, MIDI, mix, master."""
    # Dagster marks parts of its API as beta at import; the pins in pyproject.toml take care of that.
    warnings.filterwarnings("ignore", module="dagster")
    speak_any_language()


@main.command()
@FILES
@HOME
@click.option(
    "--preset",
    type=click.Choice(["conservative", "balanced", "aggressive"]),
    help="How far restoration, mix and master may go: short for the `preset` of all three.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="SECTION.NAME=VALUE",
    help="A setting of the brief, kept for these tracks; as often as needed. `resonate brief show` lists them.",
)
@click.option(
    "--stage",
    metavar="STAGE",
    help="Make this stage and all that is made from it anew; what comes before it is as it was.",
)
@click.option(
    "--replace",
    "replace_older",
    is_flag=True,
    help="Where a file has changed, remove the track that was made of it before, once the new one is made.",
)
@JSON
def process(
    files: tuple[Path, ...],
    home: Path | None,
    preset: Preset | None,
    assignments: tuple[str, ...],
    stage: str | None,
    replace_older: bool,
    as_json: bool,
) -> None:
    """Take FILES, and every audio file below folders among them, through every stage, each for itself: one that
    can't be used does not stop the others. Ctrl-C stops within seconds; the same command then goes on."""
    with stoppable() as stopping:
        from resonate_studio.folders import files_below

        found = files_below(files)
        batch = Batch([str(file) for file in found.files], as_json, found.passed_over)
        stopping.tell = batch.tell_stopped
        _check_stage(stage)
        with batch.or_none_of_it():
            from resonate_studio.brief_commands import parsed, with_preset
            from resonate_studio.home import open_instance, settings_for
            from resonate_studio.processing import Processor

            require_all()
            settings = settings_for(home)
            wanted = with_preset(preset) | parsed(assignments, "--set")
            with open_instance(settings) as instance:
                processor = Processor(
                    settings, instance, wanted, anew_from=stage, replace_older=replace_older
                )
                batch.carry_out(
                    processor, lambda number, tell: processor.process(found.files[number], tell), stopping
                )
                batch.tell(processor.storage.store.location("").rstrip("/"))
    sys.exit(batch.exit_code)


for command in (
    batch,
    status,
    retry,
    remove,
    separate,
    engines,
    loudness,
    profile,
    midi,
    qc,
    rebuild,
    compose,
    restore,
    remix,
    mix,
    master,
    brief,
    library,
    cache,
    workers,
    run_worker,
    daemon,
    doctor,
    backup,
    gpu,
    listen,
    export,
    export_ableton,
    dev,
    studio,
    metrics,
    health,
):
    main.add_command(command)


@main.command()
@HOME
def prepare(home: Path | None) -> None:
    """Make a home ready for the daemon and the web UI: its folders, its databases, and Dagster's configuration for
    the cores and the memory of this machine, where there is none yet."""
    from resonate_resources.storage.pools import Pool, places
    from resonate_studio.home import open_instance, settings_for

    settings = settings_for(home)
    with open_instance(settings):
        Path(settings.inbox).mkdir(parents=True, exist_ok=True)
    pools: tuple[Pool, ...] = ("cores", "gpu", "cloud")
    click.echo(f"{settings.home}: ready; places: {', '.join(f'{places(pool)} {pool}' for pool in pools)}")


@main.command()
@HOME
def demo(home: Path | None) -> None:
    """Compose and render a song with known stems, degrade it to a phone recording, process that, and compare
    with the truth."""
    with stoppable() as stopping:
        from resonate_studio.demo import make_demo
        from resonate_studio.home import open_instance, settings_for
        from resonate_studio.processing import Processor

        require_all()
        console = console_of(quiet=False)
        settings = settings_for(home)
        with open_instance(settings) as instance:
            with console.status("composing and rendering a song, then recording it on a phone"):
                truth = make_demo(settings.home / "demo")
            processor = Processor(settings, instance, {"separation.truth": str(truth.folder)})
            batch = Batch([str(truth.recording)], as_json=False)
            stopping.tell = batch.tell_stopped
            batch.carry_out(processor, lambda _, tell: processor.process(truth.recording, tell), stopping)
            batch.tell(processor.storage.store.location("").rstrip("/"))
            [done] = batch.done
            if done.error is None:
                console.print(truth.table(processor.storage.artefacts, done.track or ""))
    sys.exit(batch.exit_code)


def _check_stage(stage: str | None) -> None:
    from resonate_assets.jobs import ORIGIN, STAGES

    there = (*ORIGIN, *STAGES)
    if stage is not None and stage not in there:
        raise click.UsageError(f"--stage: {stage[:40]} is no stage; the stages are {', '.join(there)}")


if __name__ == "__main__":
    main()
