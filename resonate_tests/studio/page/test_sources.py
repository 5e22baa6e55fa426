"""The page's sources: their own tests, their types, and what they must not hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

from resonate_studio.api.openapi import described
from resonate_tests.studio.page.conftest import SOURCES, npm


def test_the_pages_own_tests_pass(built: None) -> None:
    tried = npm("test")
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_the_pages_types_are_those_of_the_api(built: None, tmp_path: Path) -> None:
    """`make schema` makes them so."""
    description, types = tmp_path / "openapi.json", tmp_path / "schema.ts"
    description.write_text(described())
    made = npm("run", "schema", "--", str(description), "--output", str(types))
    assert made.returncode == 0, made.stdout + made.stderr
    assert types.read_text() == (SOURCES / "src" / "api" / "schema.ts").read_text()


def test_packages_are_locked_by_content_and_by_no_place() -> None:
    packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    wheres = [name for name, package in packages.items() if "resolved" in package]
    loose = [name for name, package in packages.items() if name and "integrity" not in package]
    assert (wheres, loose) == ([], [])


def test_what_is_built_has_no_inline_script_or_style_and_names_no_place_to_fetch_from(built: None) -> None:
    document = (SOURCES.parent / "resonate_studio" / "api" / "page" / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", document) == []
    assert re.findall(r"(?:src|href)=[\"'](?!/)", document) == []
