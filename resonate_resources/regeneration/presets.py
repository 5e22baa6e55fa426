"""What makes other candidates again elsewhere: programs of soundfonts, Faust sources, presets of plugins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from resonate_resources.instruments.faust import FAUST_SOURCES

PRESETS: Final = "presets"
"""Their folder."""
_LIBRARY: Final = "voice.lib"
_SLIDER: Final = re.compile(r'(hslider\("(\w+)", )([^,]+)(?=,)')


def write_presets(stem: str, candidates: Sequence[Mapping[str, Any]], into: Path) -> dict[str, Path]:
    """Name in the folder → file.

    candidates: as the report of rebuilt stems has them. Of a plugin's preset that is gone there is the name alone.
    """
    files: dict[str, Path] = {}
    called = stem.capitalize()

    def add(name: str) -> Path:
        path = files[f"{PRESETS}/{name}"] = into / PRESETS / name
        path.parent.mkdir(exist_ok=True)
        return path

    told = []
    for made in candidates:
        settings = made["settings"]
        if made["kind"] == "soundfont":
            told.append(
                f"{made['label']}: {Path(settings['soundfont']).name} (SHA-256 {settings['sha256']}), bank "
                f"{settings['bank']}, program {settings['program']} counted from 0; licence: {made['licence']}"
            )
        elif made["kind"] == "faust":
            source = FAUST_SOURCES / f"{settings['program']}.dsp"
            add(f"{called} {source.stem}.dsp").write_text(faust_source(source, settings), encoding="utf-8")
            shutil.copyfile(FAUST_SOURCES / _LIBRARY, add(_LIBRARY))
        elif made["kind"] == "plugin":
            preset = Path(settings["preset"]) if settings["preset"] else None
            told.append(
                f"{made['label']}: plugin {Path(settings['plugin']).name}, "
                f"{f'preset {preset.name}' if preset else 'as it opens'}; licence: {made['licence']}"
            )
            if preset is not None and preset.is_file():
                shutil.copyfile(preset, add(f"{called} {preset.name}"))
    if told:
        add(f"{called}.txt").write_text("\n".join(told) + "\n", encoding="utf-8")
    return files


def faust_source(source: Path, settings: Mapping[str, Any]) -> str:
    """The program with these parameters as what its sliders begin at."""
    return _SLIDER.sub(
        lambda found: f"{found[1]}{settings[found[2]]:.6g}" if found[2] in settings else found[0],
        source.read_text(encoding="utf-8"),
    )
