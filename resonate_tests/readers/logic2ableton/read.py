"""What logic2ableton finds in a Live set, as JSON: `python read.py SET QUARTERS`.

QUARTERS, a JSON list: of each is told the second at which the set comes to it by its tempo, and the second of the
sound that plays there by each clip's warp markers.
"""

import json
import sys
from dataclasses import asdict
from importlib import resources
from pathlib import Path

from logic2ableton import ableton_metadata as metadata
from logic2ableton import ableton_parser as parser
from logic2ableton.timeline import TempoEvent, TempoMap

als, quarters = Path(sys.argv[1]), json.loads(sys.argv[2])
project = parser.parse_ableton_project(als)
live = parser._live_set(parser._read_set_root(als))
main = metadata.main_track(live)


def events(name):
    parameter = main.find(f"DeviceChain/Mixer/{name}")
    return [
        (float(event.get("Time")), float(event.get("Value")))
        for event in metadata.parameter_events(main, parameter)
    ]


def second_of_sound(clip, quarter):
    clip.find("Loop/LoopStart").set("Value", str(quarter))
    return parser._parse_clip(clip, als, "", project.tempo).source_in_seconds


def warped(track):
    [clip] = track.findall(".//MainSequencer//AudioClip")
    return [second_of_sound(clip, quarter) for quarter in quarters]


by_tempo = TempoMap(project.tempo, [TempoEvent(*event) for event in events("Tempo")])
told = {
    "tempo": project.tempo,
    "tempi": events("Tempo"),
    "signatures": [(at, *metadata.decode_meter(int(value))) for at, value in events("TimeSignature")],
    "audio": {
        track.name: [{**asdict(clip), "source_path": str(clip.source_path)} for clip in track.clips]
        for track in project.audio_tracks
    },
    "midi": {track.name: [asdict(clip) for clip in track.clips] for track in project.midi_tracks},
    "locators": [(locator.time_beats, locator.name) for locator in project.locators],
    "warnings": project.compatibility_warnings,
    "by_tempo": [by_tempo.beats_to_seconds(quarter) for quarter in quarters],
    "by_warp": {
        track.find("Name/EffectiveName").get("Value"): warped(track)
        for track in live.findall("Tracks/AudioTrack")
    },
    "template": str(resources.files("logic2ableton") / "data" / "DefaultLiveSet.als"),
}
json.dump(told, sys.stdout)
