"""What a check finds."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """What a predicate found: numbers are shown, and plotted, with the check."""

    passed: bool
    numbers: dict[str, float | int | str] = field(default_factory=dict)
