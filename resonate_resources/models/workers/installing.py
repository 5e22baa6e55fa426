"""Environments of workers made from their lists, by uv where it is, else by venv and pip.

What was broken off is gone on with: packages that are whole stay. Nothing counts as made before all of it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TextIO

from resonate_resources.models.workers.environments import Environment, Version

Tell = Callable[[str], None]
"""Told what happens, a line at a time."""

_SECONDS_BETWEEN_LINES = 10.0
_MB = 1_000_000
_SAID = 40
"""Lines of an installer that are kept, to find its error among them."""


class InstallationError(Exception):
    """An environment that can't be made, in one line."""


def install(environment: Environment, tell: Tell) -> bool:
    """Make it, or what is lacking of it; whether there was anything to do. Raises InstallationError.

    torch goes in first and by itself: resolved as another package's dependency it would be a build with gigabytes
    of CUDA.
    """
    with _alone(environment) as lock:

        def run(command: list[str]) -> None:
            _run(environment, command, tell, lock)

        if environment.state() == "made":
            return False
        _begin(environment, tell, run)
        constrained = ["--constraint", str(environment.constraints)]
        if torch := _torch(environment.wanted):
            tell(torch)
            run([*_installer(environment), *constrained, torch])
        tell(f"what {environment.wanted.name} lists")
        run([*_installer(environment), *constrained, "--requirement", str(environment.wanted)])
        bare = environment.without_dependencies
        tell(f"what {bare.name} lists")
        run([*_installer(environment), "--no-deps", "--requirement", str(bare)])
        shutil.rmtree(_scratch(environment), ignore_errors=True)
        _write(environment.made, environment.fingerprint())
        return True


def remove(environment: Environment) -> bool:
    """Whether there was one."""
    with _alone(environment):
        if not environment.directory.exists():
            return False
        environment.made.unlink(missing_ok=True)  # first: what is left of a removal broken off is half made
        shutil.rmtree(environment.directory)
        return True


def size_of(environment: Environment) -> int:
    """Bytes on disk."""
    return _size(environment.directory)


@contextmanager
def _alone(environment: Environment) -> Iterator[TextIO]:
    """The lock, which installers hold, too: one goes on for a while where who started it was killed."""
    directory = environment.directory.parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / f"{environment.name}.lock").open("w")
    except OSError as error:
        raise InstallationError(f"{directory}: can't be written to ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallationError(
                f"{environment.name}: another process is making it, or what one that was killed had started; "
                "try again when that has ended"
            ) from error
        yield lock


def _begin(environment: Environment, tell: Tell, run: Callable[[list[str]], None]) -> None:
    """An environment with a Python that runs, begun by these lists, and nothing half installed in it."""
    same = environment.begun.is_file() and environment.begun.read_text() == environment.fingerprint()
    if same and _runs(environment):
        tell(f"going on with {environment.directory}")
        for distribution in _broken(environment):
            tell(f"{_name(distribution)} had not come whole")
            shutil.rmtree(_record_folder(distribution))  # without it, it counts as not installed
        return
    shutil.rmtree(environment.directory, ignore_errors=True)
    tell(f"making {environment.directory}")
    uv = shutil.which("uv")
    python = _interpreter(environment)
    if uv is not None:
        versions = f">={_dotted(environment.oldest)},<{_dotted(_next(environment.newest))}"
        run([uv, "venv", "--python", python or versions, str(environment.directory)])
    elif python is not None:
        run([python, "-m", "venv", str(environment.directory)])
    else:
        raise InstallationError(
            f"{environment.name}: wants {environment.pythons}, which is not here; install it, or uv"
        )
    _write(environment.begun, environment.fingerprint())


def _interpreter(environment: Environment) -> str | None:
    """The Python that runs this where it is one of those wanted, else the newest of them that is found."""
    if environment.oldest <= sys.version_info[:2] <= environment.newest:
        return sys.executable
    version = environment.newest
    while version >= environment.oldest:
        found = shutil.which(f"python{_dotted(version)}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found  # pyenv has commands for Pythons that are not chosen, too; they fail
        version = (version[0], version[1] - 1)
    return None


def _runs(environment: Environment) -> bool:
    """Whether the environment's Python and its installer can be used."""
    try:
        found = subprocess.run([*_installer(environment), "--help"], capture_output=True, check=False)
        python = subprocess.run([environment.python, "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0 == python.returncode


def _installer(environment: Environment) -> list[str]:
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", str(environment.python)]
    return [str(environment.python), "-m", "pip", "install", "--progress-bar=off"]


def _run(environment: Environment, command: list[str], tell: Tell, lock: TextIO) -> None:
    last: deque[str] = deque(maxlen=_SAID)
    plain = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    if "PIP_FIND_LINKS" in plain:  # a machine's own wheels, as torch without CUDA
        plain.setdefault("UV_FIND_LINKS", plain["PIP_FIND_LINKS"].replace(" ", ","))
    if environment.begun.is_file():
        plain["TMPDIR"] = str(_scratch(environment, anew=True))
    with subprocess.Popen(
        command,
        env=plain,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock.fileno(),),
    ) as process:
        assert process.stdout is not None
        try:
            with _telling_what_comes(_scratch(environment), tell):
                for line in process.stdout:
                    if told := line.strip():
                        last.append(told)
                        tell(f"  {told}")
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        errors = [line for line in last if line.lower().startswith("error")] or [*last] or ["it said nothing"]
        raise InstallationError(_advice(environment, errors[0][:300]))


def _scratch(environment: Environment, anew: bool = False) -> Path:
    """Where installers unpack: what one that was killed leaves there goes with the next. anew: empty, there."""
    folder = environment.directory / "scratch"
    if anew:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    return folder


@contextmanager
def _telling_what_comes(folder: Path, tell: Tell) -> Iterator[None]:
    """Tell how much is in a folder while it grows: installers are silent over what may take an hour to come."""
    ended = threading.Event()

    def look() -> None:
        before = 0
        while not ended.wait(_SECONDS_BETWEEN_LINES):
            if (size := _size(folder) // _MB) > before:
                tell(f"  {size} MB have come")
            before = size

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _size(folder: Path) -> int:
    """Bytes; files may go meanwhile."""
    found = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with suppress(FileNotFoundError):
                found += Path(place, file).lstat().st_size
    return found


def _advice(environment: Environment, reason: str) -> str:
    return (
        f"{environment.name}: can't be made ({reason}); see to that (network, room on disk) and run "
        f"`resonate workers install {environment.name}` again: what has come is kept"
    )


def _torch(wanted: Path) -> str | None:
    lines = wanted.read_text(encoding="utf-8").splitlines()
    return next((line.partition("#")[0].strip() for line in lines if line.startswith("torch==")), None)


def _broken(environment: Environment) -> list[Distribution]:
    """Packages of which files are missing or cut short, or whose list of files is: what a kill leaves."""
    places = [str(place) for place in environment.directory.glob("lib/python*/site-packages")]
    return [each for each in distributions(path=places) if not _is_whole(each)]


def _is_whole(distribution: Distribution) -> bool:
    """By the sizes in its RECORD; files that it lists without a size are made at first use. Of a file that another
    package has, too, the size may be the other's: then it is installed once more, which does no harm."""
    if not distribution.files or distribution.metadata["Name"] is None:
        return False
    for file in distribution.files:
        if file.size is None:
            continue
        path = Path(str(distribution.locate_file(file)))
        if not path.is_file() or path.stat().st_size != file.size:
            return False
    return True


def _record_folder(distribution: Distribution) -> Path:
    return Path(str(distribution._path))  # type: ignore[attr-defined]


def _name(distribution: Distribution) -> str:
    return _record_folder(distribution).name.partition("-")[0]


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def _next(version: Version) -> Version:
    return version[0], version[1] + 1
