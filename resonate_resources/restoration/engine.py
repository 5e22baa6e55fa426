"""What every restoration engine does, whatever it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resonate_resources.engine import Engine, Product
from resonate_resources.recordings.recording import Progress, Stems


class RestorationEngine(Protocol):
    """Makes stems sound as if they had been recorded well."""

    def engine(self) -> Engine:
        """What would run."""
        ...

    def restore(self, stems: Stems, into: Path, progress: Progress) -> Product:
        """Restored stems of the same names, rate, channels and length, as <name>.wav in `into`.

        Measures and notes say of every step whether it was kept, and why.
        """
        ...
