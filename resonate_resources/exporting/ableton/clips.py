"""Clips on the time line of a Live set: sound that is warped to the beats, and notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resonate_resources.exporting.ableton.elements import add, add_follow_action, add_grid, add_scale, fill
from resonate_resources.recordings.recording import Recording

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

IN_PROJECT = 3
"""A file's path is told from the project's folder."""
_FAR_FROM_MUSIC = 847, -364  # the note editor's zoom and scroll, as Live begins with


@dataclass(frozen=True)
class WarpMarker:
    """second: of the sound; quarter: where it lies, in quarter notes from the clip's start."""

    second: float
    quarter: float


@dataclass(frozen=True)
class Sound:
    """recording: what plays, which lies at path, told from the project's folder. warp: 0 Beats, 1 Tones, 2 Texture,
    3 Re-Pitch, 4 Complex, 5 Complex Pro."""

    recording: Recording
    path: str
    bytes: int
    warp: int


@dataclass(frozen=True)
class PlayedNote:
    """start, length: in quarter notes, from the clip's start. pitch, velocity: as in MIDI."""

    start: float
    length: float
    pitch: int
    velocity: int


def audio_clip(
    sound: Sound,
    name: str,
    colour: int,
    length: float,
    markers: Sequence[WarpMarker],
    signature: tuple[int, int],
) -> Element:
    """From the set's start, length quarter notes long.

    markers: at least two, rising in both; none: the sound is not warped, and plays as it is whatever the tempo.
    """
    clip = _clip(
        "AudioClip", name, colour, length, signature, stop=None if markers else sound.recording.duration
    )
    fill(clip, IsWarped=bool(markers), TakeId=1)
    reference = add(clip, "SampleRef")
    file = add(reference, "FileRef")
    # An absolute path would be of this machine; Live finds what is in the project without one.
    fill(file, RelativePathType=IN_PROJECT, RelativePath=sound.path, Path="", Type=1)
    fill(file, LivePackName="", LivePackId="", OriginalFileSize=sound.bytes, OriginalCrc=0)
    fill(reference, LastModDate=0)
    add(reference, "SourceContext")
    fill(reference, SampleUsageHint=0, DefaultDuration=sound.recording.frames)
    fill(reference, DefaultSampleRate=sound.recording.sample_rate)
    onsets = add(clip, "Onsets")
    add(onsets, "UserOnsets")
    fill(onsets, HasUserOnsets=False)
    fill(clip, WarpMode=sound.warp, GranularityTones=30, GranularityTexture=65, FluctuationTexture=25)
    fill(clip, TransientResolution=6, TransientLoopMode=2, TransientEnvelope=100)
    fill(clip, ComplexProFormants=100, ComplexProEnvelope=128, Sync=True, HiQ=True, Fade=False)
    fades = add(clip, "Fades")
    fill(fades, FadeInLength=0, FadeOutLength=0, ClipFadesAreInitialized=True, CrossfadeInState=0)
    fill(fades, FadeInCurveSkew=0, FadeInCurveSlope=0, FadeOutCurveSkew=0, FadeOutCurveSlope=0)
    fill(fades, IsDefaultFadeIn=False, IsDefaultFadeOut=False)
    fill(clip, PitchCoarse=0, PitchFine=0, SampleVolume=1, MarkerDensity=2, AutoWarpTolerance=4)
    warped = add(clip, "WarpMarkers")
    ends = (WarpMarker(0.0, 0.0), WarpMarker(sound.recording.duration, length))
    for number, marker in enumerate(markers or ends):
        add(warped, "WarpMarker", Id=number, SecTime=marker.second, BeatTime=marker.quarter)
    add(clip, "SavedWarpMarkersForStretched")
    fill(clip, MarkersGenerated=True, IsSongTempoMaster=False)
    return clip


def midi_clip(
    notes: Sequence[PlayedNote],
    name: str,
    colour: int,
    length: float,
    scale: tuple[int, bool] | None,
    signature: tuple[int, int],
) -> Element:
    """From the set's start, length quarter notes long. scale: see `LiveSet`."""
    clip = _clip("MidiClip", name, colour, length, signature)
    fill(clip, IsWarped=True, TakeId=1)
    keys: defaultdict[int, list[PlayedNote]] = defaultdict(list)
    for note in notes:
        keys[note.pitch].append(note)
    held = add(clip, "Notes")
    listed, number = add(held, "KeyTracks"), 0
    for each, (pitch, struck) in enumerate(sorted(keys.items())):
        key = add(listed, "KeyTrack", Id=each)
        events = add(key, "Notes")
        for note in struck:
            number += 1
            add(
                events,
                "MidiNoteEvent",
                Time=note.start,
                Duration=note.length,
                Velocity=note.velocity,
                VelocityDeviation=0,
                OffVelocity=64,
                Probability=1,
                IsEnabled=True,
                NoteId=number,
            )
        fill(key, MidiKey=pitch)
    add(add(held, "PerNoteEventStore"), "EventLists")
    fill(add(held, "NoteIdGenerator"), NextId=number + 1)
    fill(clip, BankSelectCoarse=-1, BankSelectFine=-1, ProgramChange=-1)
    zoom, scroll = _FAR_FROM_MUSIC
    fill(clip, NoteEditorFoldInZoom=-1, NoteEditorFoldInScroll=0, NoteEditorFoldOutZoom=zoom)
    fill(clip, NoteEditorFoldOutScroll=scroll, NoteEditorFoldScaleZoom=-1, NoteEditorFoldScaleScroll=0)
    add_scale(clip, scale)
    fill(clip, IsInKey=scale is not None, NoteSpellingPreference=3, PreferFlatRootNote=False)
    add_grid(clip, "ExpressionGrid", snap=False)
    return clip


def _clip(
    tag: str,
    name: str,
    colour: int,
    length: float,
    signature: tuple[int, int],
    stop: float | None = None,
) -> Element:
    """What both kinds begin with. stop: seconds, in which a clip that is not warped tells what it plays."""
    from lxml import etree

    clip = etree.Element(tag, Id="0", Time="0")
    fill(clip, LomId=0, LomIdView=0, CurrentStart=0, CurrentEnd=length)
    end = length if stop is None else stop
    loop = add(clip, "Loop")
    fill(loop, LoopStart=0, LoopEnd=end, StartRelative=0, LoopOn=False, OutMarker=end)
    fill(loop, HiddenLoopStart=0, HiddenLoopEnd=end)
    fill(clip, Name=name, Annotation="", Color=colour, LaunchMode=0, LaunchQuantisation=0)
    bars = add(add(add(clip, "TimeSignature"), "TimeSignatures"), "RemoteableTimeSignature", Id=0)
    fill(bars, Numerator=signature[0], Denominator=signature[1], Time=0)
    add(add(clip, "Envelopes"), "Envelopes")
    fill(add(clip, "ScrollerTimePreserver"), LeftTime=0, RightTime=length)
    fill(add(clip, "TimeSelection"), AnchorTime=0, OtherTime=0)
    fill(clip, Legato=False, Ram=False)
    fill(add(clip, "GrooveSettings"), GrooveId=-1)
    fill(clip, Disabled=False, VelocityAmount=0)
    add_follow_action(clip, 1)
    add_grid(clip)
    fill(clip, FreezeStart=0, FreezeEnd=0)
    return clip
