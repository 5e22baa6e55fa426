"""What DAWproject 1.0 allows, as far as we write it: the rules of Project.xsd and MetaData.xsd (bitwig/dawproject),
written down anew; and that what is referred to is there, which ID and IDREF ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = Callable[[str], object]


def one_of(*words: str) -> Rule:
    return words.index


def boolean(text: str) -> object:
    return one_of("true", "false", "0", "1")(text)


def words_of(*words: str) -> Rule:
    """xs:list: parted by spaces."""
    return lambda text: [words.index(word) for word in text.split()]


def identifier(text: str) -> object:
    """xs:ID and xs:IDREF."""
    if not re.fullmatch(r"[A-Za-z_][\w.-]*", text):
        raise ValueError(text)
    return text


TIME_UNIT = one_of("beats", "seconds")
UNIT = one_of("linear", "normalized", "percent", "decibel", "hertz", "semitones", "seconds", "beats", "bpm")
NAMEABLE: Mapping[str, Rule] = {"name": str, "color": str, "comment": str}
REFERENCEABLE: Mapping[str, Rule] = {**NAMEABLE, "id": identifier}
TIMELINE: Mapping[str, Rule] = {**REFERENCEABLE, "timeUnit": TIME_UNIT, "track": identifier}
TIMELINES = "Timeline|Lanes|Notes|Clips|ClipSlot|markers|Warps|Audio|Video|Points"


@dataclass(frozen=True)
class Allowed:
    """children: a pattern of their tags, each followed by a space."""

    children: str = ""
    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)


REAL = Allowed(
    required={"unit": UNIT}, optional={**REFERENCEABLE, "value": float, "min": float, "max": float}
)
POINTS = Allowed(
    "Target ((Point|RealPoint|EnumPoint|BoolPoint|IntegerPoint|TimeSignaturePoint) )*",
    optional={**TIMELINE, "unit": UNIT},
)

PROJECT: Mapping[str, Allowed] = {
    "Project": Allowed(
        "Application (Transport )?(Structure )?(Arrangement )?(Scenes )?", required={"version": str}
    ),
    "Application": Allowed(required={"name": str, "version": str}),
    "Transport": Allowed("(Tempo )?(TimeSignature )?"),
    "Tempo": REAL,
    "TimeSignature": Allowed(required={"numerator": int, "denominator": int}, optional=REFERENCEABLE),
    "Structure": Allowed("((Track|Channel) )*"),
    "Track": Allowed(
        "(Channel )?(Track )*",
        optional={
            **REFERENCEABLE,
            "contentType": words_of("audio", "automation", "notes", "video", "markers", "tracks"),
            "loaded": boolean,
        },
    ),
    "Channel": Allowed(
        "(Devices )?(Mute )?(Pan )?(Sends )?(Volume )?",
        optional={
            **REFERENCEABLE,
            "audioChannels": int,
            "destination": identifier,
            "role": one_of("regular", "master", "effect", "submix", "vca"),
            "solo": boolean,
        },
    ),
    "Mute": Allowed(optional={**REFERENCEABLE, "value": boolean}),
    "Pan": REAL,
    "Volume": REAL,
    "Arrangement": Allowed(
        "(Lanes )?(Markers )?(TempoAutomation )?(TimeSignatureAutomation )?", optional=REFERENCEABLE
    ),
    "Lanes": Allowed(f"(({TIMELINES}) )*", optional=TIMELINE),
    "Clips": Allowed("(Clip )*", optional=TIMELINE),
    "Clip": Allowed(
        f"(({TIMELINES}) )?",
        required={"time": float},
        optional={
            **NAMEABLE,
            **dict.fromkeys(("duration", "playStart", "playStop", "loopStart", "loopEnd"), float),
            "contentTimeUnit": TIME_UNIT,
            "fadeTimeUnit": TIME_UNIT,
            "fadeInTime": float,
            "fadeOutTime": float,
            "enable": boolean,
            "reference": identifier,
        },
    ),
    "Warps": Allowed(f"({TIMELINES}) (Warp )+", required={"contentTimeUnit": TIME_UNIT}, optional=TIMELINE),
    "Warp": Allowed(required={"time": float, "contentTime": float}),
    "Audio": Allowed(
        "File ",
        required={"channels": int, "sampleRate": int, "duration": float},
        optional={**TIMELINE, "algorithm": str},
    ),
    "File": Allowed(required={"path": str}, optional={"external": boolean}),
    "Notes": Allowed("(Note )*", optional=TIMELINE),
    "Note": Allowed(
        f"(({TIMELINES}) )?",
        required={"time": float, "duration": float, "channel": int, "key": int},
        optional={"vel": float, "rel": float},
    ),
    "Markers": Allowed("(Marker )+", optional=TIMELINE),
    "Marker": Allowed(required={"time": float}, optional=NAMEABLE),
    "TempoAutomation": POINTS,
    "TimeSignatureAutomation": POINTS,
    "Target": Allowed(optional={"parameter": identifier, "channel": int, "key": int, "controller": int}),
    "RealPoint": Allowed(
        required={"time": float, "value": float}, optional={"interpolation": one_of("hold", "linear")}
    ),
    "TimeSignaturePoint": Allowed(required={"time": float, "numerator": int, "denominator": int}),
}

METADATA: Mapping[str, Allowed] = {
    "MetaData": Allowed(
        "(Title )?(Artist )?(Album )?(OriginalArtist )?(Composer )?(Songwriter )?(Producer )?(Arranger )?(Year )?"
        "(Genre )?(Copyright )?(Website )?(Comment )?"
    ),
    **dict.fromkeys(
        (
            *("Title", "Artist", "Album", "OriginalArtist", "Composer", "Songwriter", "Producer", "Arranger"),
            *("Year", "Genre", "Copyright", "Website", "Comment"),
        ),
        Allowed(),
    ),
}


def faults(root: Any, schema: Mapping[str, Allowed]) -> list[str]:
    """What a document has that the schema does not allow. root: an element of lxml."""
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    found = [f"id {each} twice" for each in sorted({each for each in ids if ids.count(each) > 1})]
    for element in root.iter():
        if element.tag not in schema:
            found.append(f"{element.tag} is not known")
            continue
        allowed = schema[element.tag]
        children = "".join(f"{child.tag} " for child in element)
        if not re.fullmatch(allowed.children, children):
            found.append(f"{element.tag} has {children}")
        found += _attribute_faults(element, allowed)
        found += [
            f"{element.tag} refers to {element.get(name)}"
            for name in ("track", "destination", "parameter", "reference")
            if element.get(name) and element.get(name) not in ids
        ]
    return found


def _attribute_faults(element: Any, allowed: Allowed) -> Iterator[str]:
    yield from (f"{element.tag} has no {name}" for name in allowed.required if name not in element.attrib)
    rules = {**allowed.required, **allowed.optional}
    for name, text in element.attrib.items():
        if name not in rules:
            yield f"{element.tag} has {name}"
            continue
        try:
            rules[name](text)
        except ValueError:
            yield f"{element.tag} has {name}={text}"
