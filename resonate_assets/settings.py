"""Settings: the few environment variables that say where things are. Each is honoured or refused, never dropped."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from resonate_resources.machines.machine import GpuMachine
from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recordings.limits import Limits
from resonate_resources.storage.database import sqlite_url
from resonate_resources.storage.keeping import SETTING as KEEP
from resonate_resources.storage.keeping import Kept
from resonate_resources.watching import tracing
from resonate_resources.watching.json_lines import VARIABLE as JSON_LOG

MARKER = ".resonate-home"
"""The file by which a home is known."""
_OLD_MARKER = "resonate.sqlite"
"""What a home of an earlier version has in its place."""
_FOLDER = "studio"
_CLONE = ("workspace.yaml", "resonate_assets", "pyproject.toml")
"""What a clone of Resonate holds, whose home is its `studio`, made or not."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_DATABASES = ("sqlite", "postgresql")
ESCAPED = "in URLs (%40 for @, %2F for /, %23 for #, %25 for %)"
"""How special characters of a name or a password are written in an address."""


class SettingsError(ValueError):
    """A setting that can't be honoured. One line, which names it and never tells a password."""


@dataclass(frozen=True)
class Settings:
    """Where one instance of Resonate lives. Raises SettingsError where something can't be meant."""

    home: Path
    """RESONATE_HOME, else found from where one stands: everything below it, unless another variable moves it."""
    storage: str
    """RESONATE_STORAGE: artefacts and exports; a directory or s3://bucket/prefix."""
    inbox: str
    """RESONATE_INBOX: the watched folder."""
    bucket: str
    """RESONATE_BUCKET: the watched bucket, s3://bucket/prefix; empty: none."""
    s3_endpoint: str | None
    """RESONATE_S3_ENDPOINT: for S3 that is not Amazon's."""
    database: str = ""
    """RESONATE_DATABASE: what processes must agree on, as an SQLAlchemy URL; empty: `<home>/resonate.sqlite`."""

    libraries: tuple[str, ...] = ()
    """RESONATE_LIBRARIES: music libraries that are scanned every night, folders and s3://bucket/prefix, `;` between
    them."""

    conductor: ChosenModel | None = None
    """RESONATE_CONDUCTOR_MODEL, _SERVER and _KEY_VARIABLE: who conducts a mix where a brief asks for a model."""

    gpu: GpuMachine | None = None
    """RESONATE_GPU_MACHINE, _PRICE, _DAY_CAP, _REGION and _ENDPOINT: a machine that is started for GPU runs."""

    limits: Limits = field(default_factory=Limits)
    """How large a file may be: RESONATE_MAX_HOURS and others, see resonate_resources.recordings.limits."""

    light_bytes: int = 2_000_000_000
    """RESONATE_LIGHT_BYTES: how much of the disk light copies, waveforms and spectrograms for the page may take."""

    kept: Kept = field(default_factory=Kept)
    """RESONATE_KEEP: for how long what counts no longer is kept, see resonate_resources.storage.keeping."""

    def __post_init__(self) -> None:
        check_folder("RESONATE_HOME", str(self.home))
        check_folder(
            "RESONATE_INBOX", self.inbox, "a folder on this machine (a watched bucket is RESONATE_BUCKET)"
        )
        if is_s3(self.storage):
            _bucket("RESONATE_STORAGE", self.storage)
        else:
            check_folder("RESONATE_STORAGE", self.storage, "a folder, or s3://bucket/prefix")
        if self.bucket:
            _bucket("RESONATE_BUCKET", self.bucket)
        for library in self.libraries:
            if is_s3(library):
                _bucket("RESONATE_LIBRARIES", library)
            else:
                check_folder(
                    "RESONATE_LIBRARIES", library, "folders and s3://bucket/prefix, with ; between them"
                )
        if self.s3_endpoint and not re.match(r"https?://[^/]", self.s3_endpoint):
            raise SettingsError(
                f"RESONATE_S3_ENDPOINT={self.s3_endpoint}: is no address; begin with https:// or http://"
            )
        if self.database:
            _database(self.database)

    @property
    def database_file(self) -> Path | None:
        """Where the database is a file, in SQLite, and was set to be: that file."""
        address = sa.make_url(self.database) if self.database else None
        if address is None or address.get_backend_name() != "sqlite":
            return None
        return Path(address.database or "").expanduser()

    @property
    def storage_folder(self) -> Path | None:
        """Storage where it is a folder on this machine."""
        return None if is_s3(self.storage) else Path(self.storage).expanduser().absolute()

    @property
    def uploads(self) -> Path:
        """Where files are kept that came through the page, each in a folder of its own."""
        return self.home / "uploads"

    @property
    def database_url(self) -> str:
        return self.database or sqlite_url(self.home / "resonate.sqlite")

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SettingsError."""
        named = os.environ.get("RESONATE_HOME")
        if named:
            check_folder("RESONATE_HOME", named)
        if os.environ.get(JSON_LOG, "") not in ("", "json"):
            raise SettingsError(
                f"{JSON_LOG}={os.environ[JSON_LOG]}: is not known; json is, and nothing at all"
            )
        if reason := tracing.why_not():
            raise SettingsError(reason)
        home = Path(named).expanduser().absolute() if named else home_from_here()
        try:
            limits = Limits.from_environment()
            gpu = GpuMachine.from_environment()
            kept = Kept.read(os.environ.get(KEEP, ""))
        except ValueError as error:
            raise SettingsError(str(error)) from error
        return cls(
            home=home,
            storage=os.environ.get("RESONATE_STORAGE") or str(home),
            inbox=os.environ.get("RESONATE_INBOX") or str(home / "inbox"),
            bucket=os.environ.get("RESONATE_BUCKET", ""),
            s3_endpoint=os.environ.get("RESONATE_S3_ENDPOINT") or None,
            database=os.environ.get("RESONATE_DATABASE", ""),
            libraries=tuple(
                place.strip()
                for place in os.environ.get("RESONATE_LIBRARIES", "").split(";")
                if place.strip()
            ),
            conductor=_conductor(),
            gpu=gpu,
            limits=limits,
            light_bytes=_whole_number("RESONATE_LIGHT_BYTES", cls.light_bytes),
            kept=kept,
        )


def _whole_number(setting: str, otherwise: int) -> int:
    """Raises SettingsError."""
    told = os.environ.get(setting, "")
    if not told:
        return otherwise
    if not (told.isascii() and told.isdigit()):
        raise SettingsError(f"{setting}={told}: is no number of bytes; give a whole one, such as {otherwise}")
    return int(told)


def _conductor() -> ChosenModel | None:
    """Raises SettingsError, which never tells what may be a key."""
    name, server, key_variable = (
        os.environ.get(f"RESONATE_CONDUCTOR_{part}", "") for part in ("MODEL", "SERVER", "KEY_VARIABLE")
    )
    if not name:
        if server or key_variable:
            raise SettingsError(
                "RESONATE_CONDUCTOR_MODEL: names no model, but a server or a key is set for it"
            )
        return None
    try:
        return ChosenModel(name, server, key_variable)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def is_home(folder: Path) -> bool:
    """Whether an instance of Resonate lives there."""
    return (folder / MARKER).is_file() or (folder / _OLD_MARKER).is_file()


def default_home() -> Path:
    """The home where nothing says otherwise: `studio` of the clone that this code is run from, else `~/resonate`.

    So it is the same one under make, in the shell and in the web UI.
    """
    clone = Path(__file__).absolute().parents[1]
    return clone / _FOLDER if _is_clone(clone) else Path("~/resonate").expanduser().absolute()


def home_from_here(here: Path | None = None) -> Path:
    """The home that is meant by one who stands in a folder (by default the current one): as git finds its own, the
    nearest folder upwards that is a home, or has one in `studio`; else the default."""
    try:
        here = (here or Path.cwd()).absolute()
    except FileNotFoundError:  # somebody has removed the folder that one stands in
        return default_home()
    for folder in (here, *here.parents):
        if is_home(folder):
            return folder
        if is_home(folder / _FOLDER) or _is_clone(folder):
            return folder / _FOLDER
    return default_home()


def _is_clone(folder: Path) -> bool:
    return all((folder / name).exists() for name in _CLONE)


def is_s3(place: str) -> bool:
    """Whether a place is in a bucket, rather than a folder."""
    return place.lower().startswith("s3://")


def check_folder(setting: str, place: str, wanted: str = "a folder on this machine") -> None:
    """Raises SettingsError where a place is no folder's, made or not: a file is there, or it is on a service that
    is not known here."""
    if "\0" in place:
        raise SettingsError(f"{setting}: holds a zero byte, which no name can")
    if found := _SCHEME.match(place):
        hint = "; with two slashes, s3://bucket/prefix" if found[1].lower() == "s3" else ""
        raise SettingsError(f"{setting}={place}: {found[1]}: is not known here; give {wanted}{hint}")
    try:
        folder = Path(place).expanduser().absolute()
    except RuntimeError as error:  # ~somebody who is no user here
        raise SettingsError(f"{setting}={place}: is nobody's here; give {wanted}") from error
    for there in (folder, *folder.parents):
        with suppress(OSError):  # not there, or not for us to know: the next one up is asked
            if not stat.S_ISDIR(there.stat().st_mode):
                raise SettingsError(f"{setting}={place}: {there} is no folder; give {wanted}")
            return


def _bucket(setting: str, place: str) -> None:
    if not re.fullmatch(r"s3://[^/]+(/.*)?", place):
        raise SettingsError(f"{setting}={place}: is not of the form s3://bucket/prefix")


def _database(url: str) -> None:
    name = "RESONATE_DATABASE"
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # What can't be read may have its password anywhere.
        raise SettingsError(
            f"{name}: is no database URL; give sqlite:////absolute/file.sqlite or "
            "postgresql+psycopg2://user:password@host:5432/database"
        ) from None
    kind = address.get_backend_name()
    if kind not in _DATABASES:
        raise SettingsError(
            f"{name}: databases of the kind {kind} are not known here; give sqlite or postgresql"
        )
    if (
        kind == "postgresql" and "@" in f"{address.host}{address.database}"
    ):  # a password's end, told as a place
        raise SettingsError(f"{name}: has an @ too many; write special characters of a password as {ESCAPED}")
    if kind == "sqlite" and not Path(address.database or "").expanduser().is_absolute():
        raise SettingsError(
            f"{name}: give the file's absolute path, with four slashes: sqlite:////srv/resonate.sqlite"
        )
