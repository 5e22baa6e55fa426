"""A plan heard: parts played, mixed, and summed to stems and the mix."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.request import Balance
from resonate_resources.composition.sound.automation import (
    Gain,
    ducked,
    ending,
    energy,
    kicks_s,
    multiplied,
    total_s,
)
from resonate_resources.composition.sound.balancing import BalanceMeter
from resonate_resources.composition.sound.bus import MIX_LUFS, Bus
from resonate_resources.composition.sound.mixing_table import GenreMix, Tone, mix_of
from resonate_resources.composition.sound.note_by_note import choked
from resonate_resources.composition.sound.players import LICENCE, OWN, Band, Playing
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.room import response, with_room
from resonate_resources.composition.sound.strip import Fader, Section, ToneMeter, equalised, stripped
from resonate_resources.composition.sound.sweep import swept
from resonate_resources.composition.sound.tracks import Track, notes_of, stems_of, tracks_of
from resonate_resources.composition.sound.transitions import transitions
from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import (
    Progress,
    Recording,
    RecordingWriter,
    Samples,
    Stems,
    silent,
    write_blocks,
    write_recording,
)
from resonate_resources.signal.loudness import LoudnessMeter

_Result = TypeVar("_Result")

_LEVEL_LU: Final = 5.0  # of a level of 1
_PEAKS_OVER_LUFS: Final = 20.0
_DRUM_PEAKS_OVER_LUFS: Final = 13.0  # records' drums: taped or compressed
_PLAYED, _MIXED = 0.5, 0.8  # of the time, when parts are played and when they are mixed


@dataclass(frozen=True)
class Rendered:
    """32-bit float stereo of one length throughout. The parts of a stem sum to it, and the stems to the mix.

    stems: vocals, drums, bass, other, silent where nothing plays; piano and guitar where they do. parts: by name,
    `tracks.TRANSITIONS` among them where there are any. instruments: what plays each part.
    """

    stems: Stems
    parts: Mapping[str, Recording]
    mix: Recording
    instruments: Mapping[str, Playing]


@dataclass(frozen=True)
class _Dry:
    """A part through its strip."""

    track: Track
    recording: Recording
    colour: ToneMeter
    playing: Playing


def render(
    plan: Plan,
    into: Path,
    rate: int = 48_000,
    progress: Progress = silent,
    recorded: RecordedSounds | None = None,
) -> Rendered:
    """Writes mix.wav, stems/NAME.wav and parts/NUMBER-NAME.wav into a folder. recorded: sounds that come before the
    composer's own. The same plan and soundfont give the
    same bytes. Memory does not grow with the length, but for one value every 64 frames.

    Raises AudioError where a part's sound can't be played here, for parts of one name, and where there is none.
    """
    tracks = tracks_of(plan)
    frames = round(total_s(plan) * rate)
    mix = mix_of(plan.genre)
    scratch = into / "playing"
    for folder in ("parts", "stems", "playing"):
        (into / folder).mkdir(parents=True, exist_ok=True)

    play = partial(_play, plan, mix, Band.here(recorded), scratch, rate, frames)
    dry = list(_told(in_parallel(play, tracks), len(tracks), 0.0, _PLAYED, progress))
    wet_of = partial(_mix, plan, mix, response(mix.room, rate), scratch)
    wet = list(_told(in_parallel(wet_of, dry), len(tracks), _PLAYED, _MIXED, progress))
    if plan.balance:
        wet = _balanced(plan.balance, wet, rate)
    bus = Bus(rate)
    for blocks in zip(*(each.blocks() for each in wet), strict=True):
        bus.update(np.sum(blocks, axis=0))
    parts, stems, whole = _sum(tracks, wet, bus, into, rate, frames)
    for recording in (*wet, *(each.recording for each in dry)):
        recording.path.unlink()
    scratch.rmdir()
    progress(1.0)
    return Rendered(stems, parts, whole, {each.track.name: each.playing for each in dry})


def _play(plan: Plan, mix: GenreMix, band: Band, scratch: Path, rate: int, frames: int, track: Track) -> _Dry:
    if track.part is None:
        sound = transitions(plan, frames, rate)
        playing = Playing("Synthesised transitions", LICENCE, OWN)
    else:
        notes = notes_of(track.part, plan.bpm)
        if track.role in ("drums", "percussion"):
            notes = choked(notes)
        instrument, playing = band.player(track.part, plan, notes, rate)
        sound = play_in_segments(instrument, notes, frames)
    colour = ToneMeter(rate)
    with write_recording(scratch / f"{track.file_name}.dry.wav", rate, 2, frames) as writer:
        for block in swept(stripped(sound, mix.tone[track.role], rate), track.sweeps, rate):
            colour.update(block)
            writer.write(block)
    return _Dry(track, writer.recording, colour, playing)


def _fader(target: float, dry: _Dry, tone: Tone, equaliser: Section) -> Fader:
    """What brings the part to that many LUFS."""
    drums = dry.track.role == "drums"
    meter, peak = LoudnessMeter(dry.recording.sample_rate, 2), 0.0
    for block in equalised(dry.recording.blocks(), equaliser):
        meter.update(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    # A part of a few short notes has hardly any loudness, or none.
    by_peak = (target + _PEAKS_OVER_LUFS) - 20 * math.log10(peak) if peak else 0.0
    gain = 10 ** (min(target - meter.integrated(), by_peak) / 20)
    ceiling = 10 ** ((target + _DRUM_PEAKS_OVER_LUFS) / 20) if drums else math.inf
    return Fader(gain, dry.colour.width(tone.side_db), dry.track.pan, ceiling)


def _mix(plan: Plan, mix: GenreMix, room: Samples, scratch: Path, dry: _Dry) -> Recording:
    """The part at its loudness, in the room, moved as the mix moves, and ended."""
    role, recording, tone = dry.track.role, dry.recording, mix.tone[dry.track.role]
    equaliser = dry.colour.equaliser(tone, lifts=role == "drums")
    fader = _fader(MIX_LUFS + mix.style.loudness[role] + _LEVEL_LU * dry.track.level, dry, tone, equaliser)
    struck = kicks_s(plan)
    moves = [energy(plan), ducked(struck, mix.ducking_db(role), plan.bpm)]
    loud = fader.through(equalised(recording.blocks(), equaliser))
    roomy = with_room(loud, room, mix.style.room_db[role])
    path = scratch / f"{dry.track.file_name}.wet.wav"
    with write_recording(path, recording.sample_rate, 2, recording.frames) as writer:
        for block in _moved(
            _moved(roomy, moves, recording.sample_rate), [ending(plan)], recording.sample_rate
        ):
            writer.write(block)
    return writer.recording


def _balanced(balance: Balance, wet: Sequence[Recording], rate: int) -> list[Recording]:
    """In the place of what is given, all through the filter that brings their sum towards the balance."""
    meter = BalanceMeter(rate)
    for blocks in zip(*(each.blocks() for each in wet), strict=True):
        meter.update(np.sum(blocks, axis=0))
    correction = meter.towards(balance)

    def corrected(recording: Recording) -> Recording:
        path = recording.path.with_suffix(".balanced.wav")
        made = write_blocks(path, correction.of(recording.blocks()), like=recording)
        recording.path.unlink()
        return made

    return list(in_parallel(corrected, wet))


def _moved(blocks: Iterator[Samples], gains: Sequence[Gain], rate: int) -> Iterator[Samples]:
    at = 0
    for block in blocks:
        yield block * multiplied(gains, at, block.shape[1], rate)
        at += block.shape[1]


def _sum(
    tracks: Sequence[Track], wet: Sequence[Recording], bus: Bus, into: Path, rate: int, frames: int
) -> tuple[dict[str, Recording], Stems, Recording]:
    """Parts, stems and mix, written side by side."""
    named = stems_of(tracks)
    with ExitStack() as open_files:

        def written(path: Path) -> RecordingWriter:
            return open_files.enter_context(write_recording(path, rate, 2, frames))

        parts = {track.name: written(into / "parts" / f"{track.file_name}.wav") for track in tracks}
        stems = {stem: written(into / "stems" / f"{stem}.wav") for stem in named}
        whole = written(into / "mix.wav")
        at = 0
        for blocks in zip(*(each.blocks() for each in wet), strict=True):
            gain = bus.gain(at, blocks[0].shape[1])
            at += gain.size
            sums = {stem: np.zeros((2, gain.size), np.float32) for stem in named}
            for track, block in zip(tracks, blocks, strict=True):
                sound = block * gain
                parts[track.name].write(sound)
                sums[track.stem] += sound
            for stem, sound in sums.items():
                stems[stem].write(sound)
            whole.write(np.sum(list(sums.values()), axis=0))
    return (
        {name: writer.recording for name, writer in parts.items()},
        {stem: writer.recording for stem, writer in stems.items()},
        whole.recording,
    )


def _told(
    results: Iterator[_Result], count: int, begun: float, ended: float, progress: Progress
) -> Iterator[_Result]:
    for done, result in enumerate(results, 1):
        progress(begun + (ended - begun) * done / count)
        yield result
