"""Elements of a Live set, as Live spells their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def add(parent: Element, tag: str, **attributes: object) -> Element:
    from lxml import etree

    return etree.SubElement(parent, tag, {name: text(value) for name, value in attributes.items()})


def fill(parent: Element, **values: object) -> None:
    """Elements of one value each, in that order."""
    for tag, value in values.items():
        add(parent, tag, Value=value)


def text(value: object) -> str:
    """As Live writes it; what XML cannot hold is left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return _NOT_XML.sub("", str(value))


def add_grid(parent: Element, tag: str = "Grid", *, snap: bool = True) -> None:
    fill(
        add(parent, tag),
        FixedNumerator=1,
        FixedDenominator=16,
        GridIntervalPixel=20,
        Ntoles=2,
        SnapToGrid=snap,
        Fixed=False,
    )


def add_scale(parent: Element, scale: tuple[int, bool] | None) -> None:
    root, major = scale or (0, True)
    fill(add(parent, "ScaleInformation"), RootNote=root, Name="Major" if major else "Minor")


def add_follow_action(parent: Element, jump: int) -> None:
    fill(
        add(parent, "FollowAction"),
        FollowTime=4,
        IsLinked=True,
        LoopIterations=1,
        FollowActionA=4,
        FollowActionB=0,
        FollowChanceA=100,
        FollowChanceB=0,
        JumpIndexA=jump,
        JumpIndexB=jump,
        FollowActionEnabled=False,
    )


def add_envelope(
    envelopes: Element, number: int, target: str, kind: str, events: Sequence[tuple[float, float]]
) -> None:
    envelope = add(envelopes, "AutomationEnvelope", Id=number)
    fill(add(envelope, "EnvelopeTarget"), PointeeId=target)
    automation = add(envelope, "Automation")
    line = add(automation, "Events")
    for each, (at, value) in enumerate(events):
        add(line, kind, Id=each, Time=at, Value=value)
    add_transform_state(automation)


def add_transform_state(parent: Element) -> None:
    state = add(parent, "AutomationTransformViewState")
    fill(state, IsTransformPending=False)
    add(state, "TimeAndValueTransforms")
