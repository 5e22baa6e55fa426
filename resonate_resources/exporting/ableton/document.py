"""The document of an Ableton Live set, as Live 11.0 has it and every later Live reads it.

There is no specification. Names, order and defaults are those that are known of files of Live 11: from DawVert's
reader and writer (github.com/SatyrDiamond/DawVert, objects/file_proj/ableton.py); what Live refuses, from
logic2ableton. What is the same in every empty set is written because Live has it, too.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resonate_resources.exporting.ableton.elements import (
    add,
    add_envelope,
    add_follow_action,
    add_grid,
    add_scale,
    fill,
)
from resonate_resources.exporting.ableton.tracks import Track, Tracks

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

BEFORE_ALL = -63072000
"""The quarter note at which Live puts what a parameter is at the start of its automation."""
_CREATOR = "Resonate, as Ableton Live 11.0.1"


@dataclass(frozen=True)
class LiveSet:
    """What a set says. Times are quarter notes from its start.

    tempi: (quarter, quarter notes a minute), each held until the next, the first from 0 on; 20…999, as Live can.
    signatures: (quarter, numerator, denominator), likewise. locators: (quarter, name). scale: the key's note,
    0 for C, and whether it is major; None: not known. group: its channel; grouped: tracks in it; tracks: after it.
    annotation: Live's info text of the set.
    """

    tempi: Sequence[tuple[float, float]]
    signatures: Sequence[tuple[float, int, int]]
    locators: Sequence[tuple[float, str]]
    scale: tuple[int, bool] | None
    group: Track
    grouped: Sequence[Track]
    tracks: Sequence[Track]
    annotation: str = ""

    def als(self) -> bytes:
        """The file, the same each time."""
        from lxml import etree

        return gzip.compress(
            etree.tostring(_document(self), xml_declaration=True, encoding="UTF-8", pretty_print=True),
            mtime=0,
        )


def signature_number(numerator: int, denominator: int) -> int:
    """4/4 is 201: Live counts numerators from 1 to 99, of denominators 1, 2, 4, 8 and 16 one after the other."""
    return 99 * (denominator.bit_length() - 1) + numerator - 1


def _document(said: LiveSet) -> Element:
    from lxml import etree

    root = etree.Element(
        "Ableton", MajorVersion="5", MinorVersion="11.0_433", SchemaChangeCount="3", Creator=_CREATOR
    )
    live = add(root, "LiveSet")
    next_id = add(live, "NextPointeeId")
    fill(live, OverwriteProtectionNumber=2816, LomId=0, LomIdView=0)
    listed, tracks = add(live, "Tracks"), Tracks()
    if said.grouped:
        tracks.add_group(listed, said.group, said.grouped)
    for track in said.tracks:
        tracks.add_track(listed, track)
    _add_master(live, tracks, said)
    tracks.add_bus(live, "PreHearTrack", Track("Master", -1, ()), "External")
    add(live, "SendsPre")
    _add_scenes(live, said)
    _add_view(live, said)
    next_id.set("Value", str(next(tracks.ids)))
    return root


def _add_master(live: Element, tracks: Tracks, said: LiveSet) -> None:
    track = tracks.add_bus(live, "MasterTrack", Track("Master", 11, ()), "External")
    mixer = track.find("DeviceChain/Mixer")
    assert mixer is not None
    slowest, fastest = (pick(tempo for _, tempo in said.tempi) for pick in (min, max))
    tempo = tracks.add_parameter(mixer, "Tempo", said.tempi[0][1], (60, 200))
    numbers = [
        (at, signature_number(numerator, denominator)) for at, numerator, denominator in said.signatures
    ]
    signature = tracks.add_parameter(mixer, "TimeSignature", numbers[0][1])
    tracks.add_parameter(mixer, "GlobalGrooveAmount", 100, (0, 131.25))
    tracks.add_parameter(mixer, "CrossFade", 0, (-1, 1))
    fill(
        mixer,
        TempoAutomationViewBottom=min(60, int(slowest)),
        TempoAutomationViewTop=max(200, int(fastest) + 1),
    )
    envelopes = track.find("AutomationEnvelopes/Envelopes")
    assert envelopes is not None
    add_envelope(envelopes, 0, signature, "EnumEvent", [(BEFORE_ALL, numbers[0][1]), *numbers[1:]])
    steps: list[tuple[float, float]] = [(BEFORE_ALL, said.tempi[0][1])]
    for (_, before), (at, after) in zip(said.tempi, said.tempi[1:], strict=False):
        steps += [(at, before), (at, after)]  # between two events Live glides
    add_envelope(envelopes, 1, tempo, "FloatEvent", steps)


def _add_scenes(live: Element, said: LiveSet) -> None:
    scene = add(add(live, "Scenes"), "Scene", Id=0)
    add_follow_action(scene, 0)
    fill(scene, Name="", Annotation="", Color=-1, Tempo=said.tempi[0][1], IsTempoEnabled=False)
    fill(scene, TimeSignatureId=201, IsTimeSignatureEnabled=False, LomId=0)
    add(scene, "ClipSlotsListWrapper", LomId=0)


def _add_view(live: Element, said: LiveSet) -> None:
    transport = add(live, "Transport")
    fill(transport, PhaseNudgeTempo=10, LoopOn=False, LoopStart=8, LoopLength=16, LoopIsSongStart=False)
    fill(transport, CurrentTime=0, PunchIn=False, PunchOut=False, MetronomeTickDuration=0, DrawMode=False)
    add(add(live, "SongMasterValues"), "SessionScrollerPos", X=0, Y=0)
    add(live, "SignalModulations")
    fill(live, GlobalQuantisation=4, AutoQuantisation=0)
    add_grid(live)
    add_scale(live, said.scale)
    fill(live, InKey=False, SmpteFormat=0)
    fill(add(live, "TimeSelection"), AnchorTime=0, OtherTime=0)
    navigator = add(live, "SequencerNavigator")
    fill(add(navigator, "BeatTimeHelper"), CurrentZoom=0.25)
    add(navigator, "ScrollerPos", X=0, Y=0)
    add(navigator, "ClientSize", X=528, Y=437)
    fill(live, ViewStateExtendedClipProperties=False, IsContentSplitterOpen=True)
    fill(live, IsExpressionSplitterOpen=True)
    for tag, sizes in (("ExpressionLanes", (41, 41, 41, 41)), ("ContentLanes", (41, 25))):
        lanes = add(live, tag)
        for number, size in enumerate(sizes):
            kind = number + 4 * (tag == "ContentLanes")
            fill(add(lanes, "ExpressionLane", Id=number), Type=kind, Size=size, IsMinimized=number > 0)
    fill(live, ViewStateFxSlotCount=4, ViewStateSessionMixerHeight=120)
    locators = add(add(live, "Locators"), "Locators")
    for number, (at, name) in enumerate(said.locators):
        locator = add(locators, "Locator", Id=number)
        fill(locator, LomId=0, Time=at, Name=name, Annotation="", IsSongStart=False)
    add(live, "DetailClipKeyMidis")
    for listed in ("Tracks", "VisibleTracks", "ReturnTracks", "Scenes", "CuePoints"):
        add(live, f"{listed}ListWrapper", LomId=0)
    fill(live, ChooserBar=0, Annotation=said.annotation, SoloOrPflSavedValue=True, SoloInPlace=True)
    fill(live, CrossfadeCurve=2, LatencyCompensation=2, HighlightedTrackIndex=0)
    grooves = add(live, "GroovePool")
    fill(grooves, LomId=0)
    add(grooves, "Grooves")
    fill(live, AutomationMode=False, SnapAutomationToGrid=True, ArrangementOverdub=False)
    fill(live, ColorSequenceIndex=0)
    fill(add(live, "AutoColorPickerForPlayerAndGroupTracks"), NextColorIndex=16)
    fill(add(live, "AutoColorPickerForReturnAndMasterTracks"), NextColorIndex=8)
    fill(live, ViewData="{}", MidiFoldIn=False, MidiFoldMode=0, MultiClipFocusMode=False)
    fill(live, MultiClipLoopBarHeight=0, MidiPrelisten=False)
    add(live, "LinkedTrackGroups")
    fill(live, AccidentalSpellingPreference=3, PreferFlatRootNote=False, UseWarperLegacyHiQMode=False)
    nowhere = -(1 << 31)
    add(live, "VideoWindowRect", Top=nowhere, Left=nowhere, Bottom=nowhere, Right=nowhere)
    fill(live, ShowVideoWindow=True, TrackHeaderWidth=93, ViewStateArrangerHasDetail=True)
    fill(live, ViewStateSessionHasDetail=True, ViewStateDetailIsSample=False)
    states: Mapping[str, int] = {
        "SessionIO": 1, "SessionSends": 1, "SessionReturns": 1, "SessionMixer": 1, "SessionTrackDelay": 0,
        "SessionCrossFade": 0, "SessionShowOverView": 0, "ArrangerIO": 1, "ArrangerReturns": 1,
        "ArrangerMixer": 1, "ArrangerTrackDelay": 0, "ArrangerShowOverView": 1,
    }  # fmt: skip
    fill(add(live, "ViewStates"), **states)
