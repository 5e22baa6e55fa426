"""The page: static files of its build, and its one document for every other address.

What there is is listed once; an address is looked up in that list and never becomes a path.
"""

from __future__ import annotations

import mimetypes
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
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Resonate</title>
<p>The page is not built. In a clone: <code>python page/npm.py</code>; else install Resonate anew.</p></html>"""


@router.get("/{path:path}")
def page(path: str) -> Response:
    """A file of the build, or the page."""
    if f"/{path}".startswith(f"{PREFIX}/") or path.startswith("api/"):
        raise not_found("there is no such address")
    built = built_files()
    if path in built and path != INDEX:
        return _file(built[path], immutable=path.startswith(_HASHED))
    if path.startswith(_HASHED) or INDEX not in built:
        return HTMLResponse(_NOT_BUILT, 404) if not path.startswith(_HASHED) else Response(status_code=404)
    return _file(built[INDEX], immutable=False)


@cache
def built_files() -> dict[str, Path]:
    """Address → file, of the build in this package; empty where there is none."""
    folder = Path(str(files("resonate_studio.api"))) / "page"
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _file(path: Path, *, immutable: bool) -> FileResponse:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kept = "public, max-age=31536000, immutable" if immutable else "no-cache"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": kept})
