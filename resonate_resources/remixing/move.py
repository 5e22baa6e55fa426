"""How tempo and pitch of a track are moved for what its brief asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import AudioError
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT, TempoMap
from resonate_resources.remixing.brief import RemixingBrief
from resonate_resources.remixing.keys import moved_key, semitones_between
from resonate_resources.signal.time_map import LEAST, MOST, TimeMap, scaled, steadied


@dataclass(frozen=True)
class Move:
    """tempo: the tempo map of what comes out, tempo_bpm its beats a minute. key: of it, None where it has none."""

    time_map: TimeMap
    semitones: float
    tempo: TempoMap
    tempo_bpm: float | None
    key: str | None

    @property
    def changes_nothing(self) -> bool:
        return self.semitones == 0 and self.time_map.changes_nothing

    @property
    def quarters_bpm(self) -> float | None:
        """What a sequencer counts: 1.5 times tempo_bpm in 6/8."""
        return None if self.tempo_bpm is None else self.tempo_bpm * _quarters_a_beat(self.tempo)


def move_for(brief: RemixingBrief, music: Music, key: str | None, *, of_track: bool = True) -> Move:
    """of_track: False of a file that has no brief of its own. Raises AudioError where what is asked can't be had:
    without a tempo, a key, or too far off."""
    tempo, own_bpm = music.tempo_map(), music.tempo_bpm
    time_map, wanted_bpm = TimeMap.steady(1.0), own_bpm
    if brief.tempo_bpm is not None or brief.straighten:
        if own_bpm is None or not tempo.known:
            raise _not_found("tempo", "profile.tempo_bpm=120", "--stretch", of_track)
        wanted_bpm = brief.tempo_bpm or own_bpm
        if brief.straighten:
            quarters_bpm = wanted_bpm * _quarters_a_beat(tempo)
            time_map, tempo = TimeMap.straightened(tempo, quarters_bpm), steadied(tempo, quarters_bpm)
        else:
            time_map, tempo = TimeMap.steady(own_bpm / wanted_bpm), scaled(tempo, own_bpm / wanted_bpm)
    elif brief.stretch is not None:
        time_map, tempo = TimeMap.steady(brief.stretch), scaled(tempo, brief.stretch)
        wanted_bpm = None if own_bpm is None else own_bpm / brief.stretch
    _refuse_too_far(time_map.ratios.tolist(), own_bpm)
    semitones = brief.semitones or 0.0
    if brief.key is not None:
        if key is None:
            raise _not_found("key", "profile.key=Am", "--semitones", of_track)
        semitones = float(semitones_between(key, brief.key))
    return Move(time_map, semitones, tempo, wanted_bpm, None if key is None else moved_key(key, semitones))


def _not_found(what: str, setting: str, instead: str, of_track: bool) -> AudioError:
    say = f"say it by `resonate brief set TRACK {setting}`, or " if of_track else ""
    return AudioError(f"no {what} was found: {say}give {instead} instead")


def _quarters_a_beat(tempo: TempoMap) -> float:
    """Of most beats."""
    return float(np.median(np.diff(tempo.beats))) / TICKS_PER_BEAT if tempo.beats else 1.0


def _refuse_too_far(ratios: Sequence[float], own_bpm: float | None) -> None:
    shortest, longest = min(ratios), max(ratios)
    if shortest >= LEAST - 1e-9 and longest <= MOST + 1e-9:
        return
    can = ""
    if own_bpm is not None:
        can = f": from {own_bpm:.1f} BPM, {own_bpm / MOST:.1f} to {own_bpm / LEAST:.1f}"
    raise AudioError(
        f"parts would become {shortest:.2f} to {longest:.2f} times as long; {LEAST:g} to {MOST:g} can be had{can}"
    )
