"""Sound of any length from a model that hears half a minute: windows, each a continuation of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from resonate_resources.recordings.recording import Samples


class Window(Protocol):
    def __call__(self, start: int, prompt: Samples | None, frames: int) -> Samples:
        """(…, frames) that begin with the prompt, or with what sounds as it; None: with nothing. start: where in
        the whole it begins."""
        ...


@dataclass(frozen=True)
class Windows:
    """In frames. prompt: how much of what was made a window begins with; over the last `fade` of that, the window
    before goes as it comes."""

    window: int
    prompt: int
    fade: int


def continued(generate: Window, frames: int, windows: Windows) -> Iterator[Samples]:
    """(…, frames) in pieces, a window's at a time; one window is held."""
    sound = generate(0, None, min(windows.window, frames))
    made = sound.shape[-1]
    while made < frames:
        prompt = sound[..., -windows.prompt :]
        known = prompt.shape[-1]
        start = made - known
        following = generate(start, prompt, min(windows.window, frames - start))
        yield sound[..., : -windows.fade]
        rising = np.linspace(0, 1, windows.fade, dtype=np.float32)
        both = following[..., known - windows.fade : known]
        both[:] = (1 - rising) * sound[..., -windows.fade :] + rising * both
        sound = following[..., known - windows.fade :]
        made = start + following.shape[-1]
    yield sound
