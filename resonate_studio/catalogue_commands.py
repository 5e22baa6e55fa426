"""`resonate library list | find | show`: the catalogue, out of its tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resonate_studio.terminal import HOME, JSON, Command, Range, console, plain, print_json

if TYPE_CHECKING:
    from resonate_resources.storage.track_search import Wanted

_HOW_TO_READ_TAGS = "`resonate library rebuild-index` reads them, as every night does"
_INSTALL = (
    "install both: pip install '.[fingerprint]' in the clone, and on Debian: apt install libchromaprint1"
)
_PROFILE_ANEW = "resonate process FILE --stage profile"
_PROFILED_WITHOUT = f"shorter than 3 s, or profiled before there was Chromaprint (again: {_PROFILE_ANEW})"
_COUNT = click.IntRange(1, 1_000_000_000)
"""So that their product is one that databases can count to, 2⁶³."""
_LONGEST_NAME = 120
"""Letters of artist and title that a listing shows."""
_ORDERS = ("added", "artist", "title", "genre", "bpm", "key", "duration", "loudness", "score")


class Bpm(click.ParamType[tuple[float, float]]):
    """A tempo or a range of them: 128 stands for what is shown so, 127.5 to 128.5."""

    name = "BPM or FROM-TO"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        number = r"(\d{1,3}(?:\.\d{1,3})?)"
        told = re.fullmatch(rf"{number}(?:-{number})?", str(value), re.ASCII)
        if not told:
            self.fail(
                f"{plain(str(value)[:40])!r} is no tempo such as 128 and no range such as 120-128", param, ctx
            )
        low = float(told[1])
        if told[2] is None:
            return max(0.0, low - 0.5), low + 0.5
        if low > float(told[2]):
            self.fail(f"{value}: the lower tempo comes first", param, ctx)
        return low, float(told[2])


class Key(click.ParamType[str]):
    """A key as musicians or DJs write it. Gives it in Camelot notation."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from resonate_resources.signal.spelling import camelot, spelt

        try:
            return camelot(spelt(str(value)))
        except ValueError:
            self.fail(f"{plain(str(value)[:40])!r} is no key such as 'A minor', Am or 8A", param, ctx)


def _given(_: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not value.name:
        raise click.UsageError(f"{param.opts[0]}: give the name of a file")
    return value


_LISTING: tuple[Callable[[Any], Any], ...] = (
    click.option("--sort", type=click.Choice(_ORDERS), default="added", show_default=True),
    click.option("--descending", is_flag=True, help="The last, highest or best first."),
    click.option("--limit", type=_COUNT, default=50, show_default=True, help="Tracks a page."),
    click.option("--page", type=_COUNT, default=1, show_default=True),
    JSON,
    click.option(
        "--csv",
        "csv_file",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_given,
        help="All of them into this file.",
    ),
    click.option(
        "--parquet",
        "parquet_file",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_given,
        help="All of them into this file.",
    ),
    click.option("--replace", is_flag=True, help="Write over files that are there."),
    HOME,
)


def _listing(command: Callable[..., None]) -> Callable[..., None]:
    """The options of commands that list tracks."""
    for option in reversed(_LISTING):
        command = option(command)
    return command


@click.command("list", cls=Command)
@_listing
def list_tracks(**listing: Any) -> None:
    """The tracks of the library with tempo, key, score and verdict."""
    from resonate_resources.storage.track_search import Wanted

    _tell(Wanted(), **listing)


@click.command("find", cls=Command)
@click.argument("words", nargs=-1)
@click.option("--bpm", type=Bpm(), help="128, or a range: 120-128.")
@click.option("--half-double", is_flag=True, help="Half and twice the tempo will do.")
@click.option("--key", type=Key(), help="8A, Am or 'A minor'.")
@click.option("--compatible", is_flag=True, help="Keys that mix with it, too: Camelot ±1 and the relative.")
@click.option("--genre", help="What occurs in the genre.")
@click.option("--score", type=Range(0, 100), help="What the master scores at least.")
@click.option("--accepted/--not-accepted", default=None, help="By the verdict of the checks.")
@click.option("--failed", metavar="CHECK", help="A check that failed, as mix_does_not_clip.")
@_listing
def find_tracks(
    words: tuple[str, ...],
    bpm: tuple[float, float] | None,
    half_double: bool,
    key: str | None,
    compatible: bool,
    genre: str | None,
    score: float | None,
    accepted: bool | None,
    failed: str | None,
    **listing: Any,
) -> None:
    """Tracks whose artist, title or album has all WORDS, and that are as the options say."""
    from resonate_resources.storage import track_search

    if half_double and bpm is None:
        raise click.UsageError("--half-double goes with --bpm")
    if compatible and key is None:
        raise click.UsageError("--compatible goes with --key")
    if failed is not None:
        _require_check(failed)
    keys = () if key is None else track_search.compatible(key) if compatible else (key,)
    _tell(track_search.Wanted(words, bpm, half_double, keys, genre, score, accepted, failed), **listing)


@click.command("show", cls=Command)
@click.argument("track")
@JSON
@HOME
def show_track(track: str, as_json: bool, home: Path | None) -> None:
    """All that the catalogue has of a TRACK, a key or any beginning of one that is no other's, and how each of its
    stages was made."""
    from rich.markup import escape
    from rich.table import Table

    from resonate_resources.storage.current import current_of
    from resonate_resources.storage.track_search import checks_failed, tracks_beginning
    from resonate_resources.storage.tracks import rows_of

    with _catalogue(home) as url:
        found = tracks_beginning(url, track)
        if len(found) != 1:
            raise click.ClickException(_not_one(track, found))
        row = rows_of(url, found)[found[0]] | {"failed_checks": checks_failed(url, found[0])}
        made = current_of(url, found).get(found[0], {})
    stages = sorted(made.values(), key=lambda stage: stage.published_at)
    if as_json:
        told = [
            {
                **{name: getattr(each, name) for name in ("stage", "engine", "model", "licence", "seconds")},
                **{name: getattr(each, name) for name in ("made_at", "code_version", "data_version")},
                "made_from": dict(each.made_from),
                "measures": dict(each.measures),
            }
            for each in stages
        ]
        print_json({**_as_json(row), "stages": told})
        return
    terminal = console(quiet=False)
    for name, value in row.items():
        if value not in (None, []):
            shown = ", ".join(value) if isinstance(value, list) else _as_text(value)
            terminal.print(f"{name:28}{escape(plain(shown))}", soft_wrap=True)
    table = Table(box=None)
    for title in ("stage", "engine", "seconds", "made at (UTC)"):
        table.add_column(title, justify="right" if title == "seconds" else "left", no_wrap=True)
    for each in stages:
        seconds = "" if each.seconds is None else f"{each.seconds:.1f}"
        table.add_row(each.stage, escape(each.engine), seconds, (each.made_at or "")[:16].replace("T", " "))
    terminal.print(table)
    for each in stages:
        if each.model is not None:
            licence = f" ({each.licence})" if each.licence else ""
            terminal.print(escape(plain(f"{each.stage}: {each.model}{licence}")), soft_wrap=True)


@click.command("duplicates", cls=Command)
@JSON
@HOME
def find_duplicates(as_json: bool, home: Path | None) -> None:
    """Tracks that sound the same: the same samples, or alike by acoustic fingerprints, in any format."""
    from rich.markup import escape

    from resonate_resources.profiling.fingerprint import FingerprintError, alike, why_none, words_of
    from resonate_resources.storage import duplicates
    from resonate_resources.storage.tracks import rows_of

    lacking = None
    with _catalogue(home) as url:
        try:
            groups = duplicates.find_duplicates(url, words_of, alike)
        except FingerprintError as error:
            lacking = f"compared by samples alone: {error}; {_INSTALL}"
            groups = duplicates.same_sound(url)
        rows = rows_of(url, {track for group in groups for track in group.tracks})
        without = duplicates.without_fingerprint(url)
    if lacking is None and without:
        missing = why_none()
        why = _PROFILED_WITHOUT if missing is None else f"{missing}; {_INSTALL}, then {_PROFILE_ANEW}"
        lacking = f"{_tracks(without)} without a fingerprint compared by samples alone: {why}"
    if as_json:
        told = [
            {
                "likeness": round(group.likeness, 3),
                "tracks": [_as_json(rows[track]) for track in group.tracks if track in rows],
            }
            for group in groups
        ]
        print_json({"groups": told, "note": lacking})
        return
    terminal = console(quiet=False)
    for group in groups:
        terminal.print(f"{len(group.tracks)} tracks, {group.likeness:.0%} alike at least")
        for row in (rows[track] for track in group.tracks if track in rows):
            length = "" if row["duration_s"] is None else f"{row['duration_s']:.1f} s"
            line = f"  {length:>9} {plain(row['source'] or '')}  {row['track']}"
            terminal.print(escape(line), soft_wrap=True)
    click.echo(f"{len(groups)} groups of duplicates" if len(groups) != 1 else "1 group of duplicates")
    if lacking:
        click.echo(lacking, err=True)


@contextmanager
def _catalogue(home: Path | None) -> Iterator[str]:
    """The database of a home, with all in its tables that was recorded. Dagster is not imported."""
    from resonate_assets.acceptance import CRITERIA, judge
    from resonate_resources.storage.tracks import bring_up_to_date, undescribed
    from resonate_studio.home import require_home, settings_for
    from resonate_studio.read_only import can_be_written, open_copy

    settings = settings_for(home)
    require_home(settings)

    @contextmanager
    def opened() -> Iterator[str]:
        if can_be_written(settings):
            yield settings.database_url
        else:
            with open_copy(settings) as (copy, _):
                yield copy.database_url

    with opened() as url:
        bring_up_to_date(url, judge, CRITERIA)
        yield url
        if lacking := undescribed(url):
            click.echo(f"{_tracks(lacking)} without tags yet: {_HOW_TO_READ_TAGS}", err=True)


def _tell(
    wanted: Wanted,
    *,
    sort: str,
    descending: bool,
    limit: int,
    page: int,
    as_json: bool,
    csv_file: Path | None,
    parquet_file: Path | None,
    replace: bool,
    home: Path | None,
) -> None:
    from resonate_resources.storage.track_search import count, find
    from resonate_studio.catalogue_files import write_csv, write_parquet

    _require_free([file for file in (csv_file, parquet_file) if file is not None], replace)
    with _catalogue(home) as url:
        number = count(url, wanted)
        for file, write in ((csv_file, write_csv), (parquet_file, write_parquet)):
            if file is not None:
                write(find(url, wanted, sort, descending), file)
        shown = [*find(url, wanted, sort, descending, limit, (page - 1) * limit)]
    if as_json:
        print_json({"found": number, "page": page, "tracks": [_as_json(row) for row in shown]})
        return
    for file in filter(None, (csv_file, parquet_file)):
        click.echo(f"{plain(str(file))}: {_tracks(number)}")
    if csv_file is None and parquet_file is None:
        _print_page(shown)
        pages = math.ceil(number / limit)
        click.echo(_tracks(number) + (f", page {page} of {pages}" if pages > 1 or page > 1 else ""))


def _require_free(files: Sequence[Path], replace: bool) -> None:
    """Raises ClickException for what would be written over, by the other file or unasked."""
    if len({file.resolve() for file in files}) < len(files):
        raise click.UsageError("--csv and --parquet are one file; give two")
    for file in files:
        if file.is_file() and not replace:
            raise click.ClickException(f"{plain(str(file))}: is there already; --replace writes over it")


def _print_page(rows: Sequence[Mapping[str, Any]]) -> None:
    """What is copied, the key, stands last, whole."""
    from rich.markup import escape

    terminal = console(quiet=False)
    if rows:
        terminal.print(f"{'BPM':>5} {'key':>3} {'score':>5} {'verdict':12} name  track", soft_wrap=True)
    for row in rows:
        tempo = "" if row["tempo_bpm"] is None else f"{row['tempo_bpm']:.1f}"
        score = "" if row["master_total"] is None else f"{row['master_total']:.1f}"
        verdict = {None: "not judged", True: "accepted", False: "not accepted"}[row["accepted"]]
        name = plain(" – ".join(str(row[part]) for part in ("artist", "title") if row[part]))
        name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        line = f"{tempo:>5} {row['camelot'] or '':>3} {score:>5} {verdict:12} {name}  {row['track']}"
        terminal.print(escape(line), soft_wrap=True)


def _require_check(name: str) -> None:
    """Raises UsageError for what no check is called: nothing would be found, and nobody know why."""
    from resonate_assets.checks import CHECKS

    known = sorted(spec.name for check in CHECKS for spec in check.check_specs)
    if name not in known:
        raise click.UsageError(f"--failed: {plain(name[:40])} is no check; the checks are {', '.join(known)}")


def _not_one(beginning: str, found: Sequence[str]) -> str:
    if not found:
        return f"{plain(beginning)}: no track's key begins so; `resonate library list` lists them"
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"{plain(beginning)}: {len(found)} tracks begin so: {', '.join(found[:5])}{more}"


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinities: the loudness of silence is null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _tracks(number: int) -> str:
    return "1 track" if number == 1 else f"{number} tracks"
