"""The page: static files of its build, and its one document for every other address.

What there is is listed once; an address is looked up in that list and never becomes a path.
"""

from __future__ import annotations

import mimetypes
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from resonate_studio.api.addresses import PREFIX
from resonate_studio.api.problems import not_found

router = APIRouter(include_in_schema=False)

INDEX = "index.html"
_HASHED = "assets/"
"""Vite's folder of files that are named by their content."""
_ADDRESS = re.compile(r"(tracks/[^/]+/?)?")
"""What the page shows something at: see page/src/App.tsx."""
_FILE = re.compile(r"\.[^/.]+$|[\0-\x1f]")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Resonate</title>
<p>The page is not built. In a clone: <code>python page/npm.py</code>; else install Resonate anew.</p></html>"""


@router.head("/{path:path}")
@router.get("/{path:path}")
def page(path: str) -> Response:
    """A file of the build, or the page: with 404 where it has nothing at that address either."""
    if f"/{path}".startswith(f"{PREFIX}/") or path.startswith("api/"):
        raise not_found("there is no such address")
    built = built_files()
    if path in built and path != INDEX:
        return _file(built[path], immutable=path.startswith(_HASHED))
    if path.startswith(_HASHED) or _FILE.search(path):
        return Response(status_code=404)
    if INDEX not in built:
        return HTMLResponse(_NOT_BUILT, 404)
    return _file(built[INDEX], immutable=False, status=200 if _ADDRESS.fullmatch(path) else 404)


@cache
def built_files() -> dict[str, Path]:
    """Address → file, of the build in this package; empty where there is none."""
    folder = Path(str(files("resonate_studio.api"))) / "page"
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _file(path: Path, *, immutable: bool, status: int = 200) -> FileResponse:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kept = "public, max-age=31536000, immutable" if immutable else "no-cache"
    return FileResponse(path, status, media_type=kind, headers={"Cache-Control": kept})
