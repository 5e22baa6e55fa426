"""Tracks of a Live set: channel, routing, and what lies on the time line.

What can be automated, modulated or pointed at shares one row of numbers through the whole set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from resonate_resources.exporting.ableton.elements import add, add_transform_state, fill

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_CONTROLLERS = 131  # of a MIDI track that can be automated
_PREHEAR_GAIN = 0.5012  # −6 dB, as Live begins with


@dataclass(frozen=True)
class Track:
    """name, colour: as Live shows them; colour of its palette, 0…69. clips: made by `clips`, on the time line.
    midi: of notes, not of sound. muted: the loudspeaker of its channel is off."""

    name: str
    colour: int
    clips: Sequence[Element]
    midi: bool = False
    muted: bool = False


@dataclass
class Tracks:
    """Makes tracks, each number once."""

    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def add_group(self, parent: Element, group: Track, tracks: Sequence[Track]) -> None:
        """A group, and behind it what is in it, as Live wants them."""
        number = self.add_bus(parent, "GroupTrack", group, "Master").get("Id")
        for track in tracks:
            self.add_track(parent, track, number)

    def add_track(self, tracks: Element, track: Track, group: str | None = None) -> None:
        kind = "MidiTrack" if track.midi else "AudioTrack"
        made = self.add_bus(tracks, kind, track, "GroupTrack" if group else "Master", group or "-1")
        if track.midi:
            fill(made, ReWireSlaveMidiTargetId=0, PitchbendRange=96)

    def add_bus(self, parent: Element, kind: str, track: Track, to: str, group: str = "-1") -> Element:
        """to: where its sound goes."""
        numbered = {} if kind in ("MasterTrack", "PreHearTrack") else {"Id": next(self.ids)}
        made = add(parent, kind, **numbered)
        fill(made, LomId=0, LomIdView=0, IsContentSelectedInDocument=False, PreferredContentViewMode=0)
        fill(add(made, "TrackDelay"), Value=0, IsValueSampleBased=False)
        own = track.name if numbered else ""
        fill(
            add(made, "Name"),
            EffectiveName=track.name,
            UserName=own,
            Annotation="",
            MemorizedFirstClipName="",
        )
        fill(made, Color=track.colour)
        add(add(made, "AutomationEnvelopes"), "Envelopes")
        fill(made, TrackGroupId=group, TrackUnfolded=bool(numbered))
        add(made, "DevicesListWrapper", LomId=0)
        add(made, "ClipSlotsListWrapper", LomId=0)
        fill(made, ViewData="{}")
        lanes = add(made, "TakeLanes")
        add(lanes, "TakeLanes")
        fill(lanes, AreTakeLanesFolded=True)
        fill(made, LinkedTrackGroupId=-1)
        if kind == "GroupTrack":
            fill(add(add(made, "Slots"), "GroupTrackSlot", Id=0), LomId=0)  # as many as there are scenes
        elif numbered:
            fill(made, SavedPlayingSlot=-1, SavedPlayingOffset=0, Freeze=False, VelocityDetail=0)
            fill(made, NeedArrangerRefreeze=True, PostProcessFreezeClips=0)
        self._device_chain(add(made, "DeviceChain"), kind, track, to)
        return made

    def _device_chain(self, chain: Element, kind: str, track: Track, to: str) -> None:
        lanes = add(chain, "AutomationLanes")
        lane = add(add(lanes, "AutomationLanes"), "AutomationLane", Id=0)
        fill(lane, SelectedDevice=0, SelectedEnvelope=0, IsContentSelectedInDocument=False, LaneHeight=68)
        fill(lanes, AreAdditionalAutomationLanesFolded=False)
        shown = add(chain, "ClipEnvelopeChooserViewState")
        fill(shown, SelectedDevice=0, SelectedEnvelope=0, PreferModulationVisible=False)
        outputs = {
            "Master": ("AudioOut/Master", "Master", ""),
            "GroupTrack": ("AudioOut/GroupTrack", "Group", ""),
            "External": ("AudioOut/External/S0", "Ext. Out", "1/2"),
        }
        routings = {
            "AudioInputRouting": ("AudioIn/External/S0", "Ext. In", "1/2"),
            "MidiInputRouting": ("MidiIn/External.All/-1", "Ext: All Ins", ""),
            "AudioOutputRouting": outputs[to],
            "MidiOutputRouting": ("MidiOut/None", "None", ""),
        }
        for tag, (target, upper, lower) in routings.items():
            fill(add(chain, tag), Target=target, UpperDisplayString=upper, LowerDisplayString=lower)
        self._mixer(chain, kind, muted=track.muted)
        if kind in ("AudioTrack", "MidiTrack"):
            self._sequencer(add(chain, "MainSequencer"), slots=1, clips=track.clips, midi=track.midi)
            self._sequencer(add(chain, "FreezeSequencer"), slots=1)
        elif kind == "MasterTrack":
            self._sequencer(add(add(chain, "FreezeSequencer"), "AudioSequencer", Id=0), slots=0)
        devices = add(chain, "DeviceChain")
        add(devices, "Devices")
        add(devices, "SignalModulations")
        if (
            kind == "GroupTrack"
        ):  # which no Live before 12 can freeze: with slots in it the set counts as corrupt
            self._sequencer(add(chain, "FreezeSequencer"), slots=0)

    def _mixer(self, chain: Element, kind: str, *, muted: bool) -> None:
        mixer = add(chain, "Mixer")
        self._device(mixer)
        add(mixer, "Sends")
        self._switch(mixer, "Speaker", on=not muted)
        fill(mixer, SoloSink=False, PanMode=0)
        self.add_parameter(mixer, "Pan", 0, (-1, 1))
        self.add_parameter(mixer, "SplitStereoPanL", -1, (-1, 1))
        self.add_parameter(mixer, "SplitStereoPanR", 1, (-1, 1))
        gain = _PREHEAR_GAIN if kind == "PreHearTrack" else 1
        self.add_parameter(mixer, "Volume", gain, (0.0003162277571, 1.99526238))
        fill(mixer, ViewStateSesstionTrackWidth=93)  # Live's own spelling
        self.add_parameter(mixer, "CrossFadeState", 1)
        add(mixer, "SendsListWrapper", LomId=0)

    def _device(self, parent: Element) -> None:
        """What mixers and sequencers have in common with devices."""
        fill(parent, LomId=0, LomIdView=0, IsExpanded=True)
        self._switch(parent, "On", on=True)
        fill(parent, ModulationSourceCount=0)
        add(parent, "ParametersListWrapper", LomId=0)
        add(parent, "Pointee", Id=next(self.ids))
        fill(parent, LastSelectedTimeableIndex=0, LastSelectedClipEnvelopeIndex=0)
        add(add(parent, "LastPresetRef"), "Value")
        add(parent, "LockedScripts")
        fill(parent, IsFolded=False, ShouldShowPresetName=False, UserName="", Annotation="")
        add(add(parent, "SourceContext"), "Value")

    def _target(self, parent: Element, tag: str) -> str:
        number = str(next(self.ids))
        fill(add(parent, tag, Id=number), LockEnvelope=0)
        return number

    def _switch(self, parent: Element, tag: str, *, on: bool) -> None:
        made = add(parent, tag)
        fill(made, LomId=0, Manual=on)
        self._target(made, "AutomationTarget")
        fill(add(made, "MidiCCOnOffThresholds"), Min=64, Max=127)

    def add_parameter(
        self, parent: Element, tag: str, value: float, reach: tuple[float, float] | None = None
    ) -> str:
        """The number by which it is automated. reach: of what can be modulated as well."""
        made = add(parent, tag)
        fill(made, LomId=0, Manual=value)
        if reach:
            fill(add(made, "MidiControllerRange"), Min=reach[0], Max=reach[1])
        number = self._target(made, "AutomationTarget")
        if reach:
            self._target(made, "ModulationTarget")
        return number

    def _sequencer(
        self, made: Element, *, slots: int, clips: Sequence[Element] = (), midi: bool = False
    ) -> None:
        self._device(made)
        listed = add(made, "ClipSlotList")
        for number in range(slots):
            slot = add(listed, "ClipSlot", Id=number)
            fill(slot, LomId=0)
            add(add(slot, "ClipSlot"), "Value")
            fill(slot, HasStop=True, NeedRefreeze=True)
        fill(made, MonitoringEnum=1)
        line = add(add(made, "ClipTimeable" if midi else "Sample"), "ArrangerAutomation")
        add(line, "Events").extend(clips)
        add_transform_state(line)
        if not midi:
            for name in ("Volume", "Transposition", "GrainSize", "Flux", "SampleOffset"):
                self._target(made, f"{name}ModulationTarget")
            fill(made, PitchViewScrollPosition=-1073741824, SampleOffsetModulationScrollPosition=-1073741824)
        fill(add(made, "Recorder"), IsArmed=False, TakeCounter=0)
        if midi:
            controllers = add(made, "MidiControllers")
            for number in range(_CONTROLLERS):
                self._target(controllers, f"ControllerTargets.{number}")
