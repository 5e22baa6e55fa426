"""What tests need and Python packages do not bring: Chromium, PostgreSQL's server, RabbitMQ, FluidSynth,
Chromaprint, Prometheus, a voice to listen to.

`make test` runs this first, by a bare Python: on a Debian system, as root, what is missing is installed, together
with what Resonate itself wants; elsewhere one line names it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from resonate_studio.system_packages import INSTALLATION, has_library, provide, request


def find_chromium() -> Path | None:
    """The browser's executable."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((Path(path) for path in found if path), None)


def find_postgresql() -> Path | None:
    """The directory of `initdb` and `postgres`. Debian keeps it off the PATH, one for each version."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: -float(place.parent.name))
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


def find_rabbitmq() -> Path | None:
    """The broker's own program: what Debian puts on the PATH runs it as another user, at that user's places."""
    path = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return path if path.exists() else None


def find_fluidsynth() -> Path | None:
    """The player of soundfonts."""
    path = shutil.which("fluidsynth")
    return Path(path) if path else None


def find_plugins() -> Path | None:
    """The directory of a plucked string and a bass synthesiser that hosts load."""
    directory = Path("/usr/lib/vst")
    return directory if (directory / "Kars-vst.so").exists() else None


def find_speech() -> Path | None:
    """The directory of the announcements of a telephone exchange, spoken by Allison Smith."""
    directory = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
    return directory if directory.is_dir() else None


def find_chromaprint() -> Path | None:
    """The library that makes fingerprints."""
    name = "libchromaprint.so.1"
    return Path(name) if has_library(name) else None


def find_promtool() -> Path | None:
    """What checks metrics and alerts for Prometheus."""
    path = shutil.which("promtool")
    return Path(path) if path else None


FINDERS: Mapping[str, Callable[[], Path | None]] = {
    "chromium": find_chromium,
    "postgresql": find_postgresql,
    "rabbitmq-server": find_rabbitmq,
    "fluidsynth": find_fluidsynth,
    "dpf-plugins-vst": find_plugins,
    "libchromaprint1": find_chromaprint,
    "prometheus": find_promtool,
    "asterisk-core-sounds-en-g722": find_speech,
}
"""Debian package → finder of what tests use of it."""


def required(package: str) -> Path:
    """What tests use of a package. Raises FileNotFoundError with the line that names the package."""
    found = FINDERS[package]()
    if found is None:
        raise FileNotFoundError(request([package]))
    return found


if __name__ == "__main__":
    sys.exit(provide({**INSTALLATION, **FINDERS}))
