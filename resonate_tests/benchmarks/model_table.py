"""Size and hash of a model that was fitted anew, in known.toml and in the table of docs/models.md."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from resonate_resources.models.table import as_markdown, known_models

_REPOSITORY = Path(__file__).parents[2]
_KNOWN = _REPOSITORY / "resonate_resources" / "models" / "known.toml"
_DOCS = _REPOSITORY / "docs" / "models.md"


def record(name: str, file: Path) -> None:
    """name: that of the model in known.toml, which has its size and hash already."""
    before = as_markdown()
    content = file.read_bytes()
    head, entry = _KNOWN.read_text().split(f'name = "{name}"\n')
    entry = re.sub(r"^megabytes = .*$", f"megabytes = {len(content) / 1e6:.2f}", entry, count=1, flags=re.M)
    digest = hashlib.sha256(content).hexdigest()
    entry = re.sub(r"^sha256 = .*$", f'sha256 = "{digest}"', entry, count=1, flags=re.M)
    _KNOWN.write_text(f'{head}name = "{name}"\n{entry}')
    known_models.cache_clear()
    _DOCS.write_text(_DOCS.read_text().replace(before, as_markdown()))
