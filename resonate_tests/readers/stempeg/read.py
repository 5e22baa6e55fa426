"""`read.py FILE OUT`: a stem file as stempeg reads it, to OUT, and what it says of its tracks, in JSON."""

import json
import sys

import numpy as np
import stempeg

path, out = sys.argv[1:]
info = stempeg.Info(path)
stems, rate = stempeg.read_stems(path, info=info, always_3d=True)
np.save(out, stems.astype(np.float32))
json.dump(
    {
        "rate": rate,
        "titles": info.title_streams,
        "enabled": [stream["disposition"]["default"] for stream in info.audio_streams],
        "codecs": [stream["codec_name"] for stream in info.audio_streams],
    },
    sys.stdout,
)
