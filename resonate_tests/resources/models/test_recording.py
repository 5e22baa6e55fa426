"""A model that was fitted anew, and its entry in the table."""

from __future__ import annotations

import hashlib
import shutil
import tomllib

import pytest

from resonate_tests.benchmarks import model_table


def test_only_size_and_hash_of_that_model_are_written_anew(tmp_path, monkeypatch):
    weights = tmp_path / "weights.npz"
    weights.write_bytes(bytes(120_000))
    entries = []
    for place in ("_KNOWN", "_DOCS"):
        original = getattr(model_table, place)
        monkeypatch.setattr(model_table, place, shutil.copy(original, tmp_path / original.name))
    known = tmp_path / "known.toml"
    for _ in range(2):
        entries.append({entry["name"]: entry for entry in tomllib.loads(known.read_text())["model"]})
        model_table.record("resonate/predictor", weights)
    before, after = entries
    assert after.pop("resonate/predictor") == {
        **before.pop("resonate/predictor"),
        "megabytes": 0.12,
        "sha256": hashlib.sha256(bytes(120_000)).hexdigest(),
    }
    assert after == before


def test_a_model_that_is_not_in_the_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(model_table, "_KNOWN", shutil.copy(model_table._KNOWN, tmp_path / "known.toml"))
    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"")
    with pytest.raises(ValueError):
        model_table.record("nobody/nothing", weights)
