"""What abletoolz finds in a Live set, as JSON: `python read.py SET`."""

import json
import logging
import sys
from pathlib import Path

from abletoolz.ableton_set import AbletonSet
from abletoolz.color_tools import ableton_colors_strs

logging.disable()
AbletonSet.get_file_times = lambda _: None  # asks for times of birth, which Python does not tell on Linux

found = AbletonSet(Path(sys.argv[1]))
assert found.parse()
found.load_version()
found.find_project_root_folder()
found.load_tracks()
found.list_samples()
told = {
    "version": found.version_tuple,
    "project": str(found.project_root_folder),
    "bpm": found.get_bpm(),
    "tracks": [
        {
            "kind": track.type,
            "name": track.name,
            "id": track.id,
            "group": track.group_id,
            "colour": ableton_colors_strs[track.color],
            "clip_colours": [
                ableton_colors_strs[int(colour.get("Value"))] for colour in track.clip_arangement_colors()
            ],
        }
        for track in found.tracks
    ],
    "samples": [
        {"path": str(sample.relative), "exists": bool(sample.relative_exists), "size": sample.size}
        for sample in found.sample_list
    ],
}
json.dump(told, sys.stdout)
