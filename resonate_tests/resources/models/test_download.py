"""Against a server on this machine that cuts the line, sends other files, or can't do what it is asked."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resonate_resources.models import download as downloading
from resonate_resources.models.download import DownloadError, download

CONTENT = os.urandom(1 << 20) * 5 + b"the end"
OTHER = os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Hub(ThreadingHTTPServer):
    """cuts: bytes of each answer after which the line is cut, one after another; then answers are whole."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.content, self.etag = CONTENT, '"one"'
        self.cuts: list[int] = []
        self.ranges: list[str | None] = []
        self.knows_ranges = True
        self.sends_length = True
        self.slowly = 0.0
        self.patience = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """Clients that end in the middle are what is tested."""

    def url(self, path: str = "model.bin") -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub, asked = self.server, self.headers.get("Range")
        hub.ranges.append(asked)
        if self.path == "/gone":
            return self.send_error(404)
        if self.path == "/broken":
            return self.send_error(500)
        if self.path == "/silent":
            hub.patience.wait(10)
            return None
        if self.path == "/linked":
            self.send_response(302)
            self.send_header("Location", "/model.bin")
            self.send_header("X-Linked-Etag", f'"{SHA256}"')
            self.end_headers()
            return None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and hub.knows_ranges else 0
        if start >= len(hub.content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            last = len(hub.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(hub.content)}")
        if hub.etag:
            self.send_header("ETag", hub.etag)
        if hub.sends_length:
            self.send_header("Content-Length", str(len(hub.content) - start))
        self.end_headers()
        rest = hub.content[start:][: hub.cuts.pop(0) if hub.cuts else None]
        for at in range(0, len(rest), 1 << 18):
            self.wfile.write(rest[at : at + (1 << 18)])
            time.sleep(hub.slowly)
        return None

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(downloading, "_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(downloading, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(downloading, "_LOOK_SECONDS", 0.05)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.patience.set()
    server.shutdown()
    server.server_close()
    thread.join()


def refusal(url: str, path: Path, sha256: str = "") -> str:
    with pytest.raises(DownloadError) as raised:
        download(url, path, sha256)
    assert "\n" not in str(raised.value)
    assert not path.exists()
    return str(raised.value)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_leaves_nothing_beside_it(hub: Hub, tmp_path: Path) -> None:
    came: list[int] = []
    download(hub.url(), tmp_path / "models" / "model.bin", SHA256[:8], lambda: came.append(1))
    assert (tmp_path / "models" / "model.bin").read_bytes() == CONTENT
    assert names(tmp_path / "models") == ["model.bin"]
    assert len(came) >= 5  # with every megabyte: a slow one is not taken for a worker that hangs


@pytest.mark.parametrize("etag", ['"one"', ""])
def test_a_line_that_is_cut_is_taken_up_again_where_it_was_cut(
    hub: Hub, tmp_path: Path, etag: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub.etag, hub.cuts = etag, [2_000_000, 1, 1_500_000]
    download(hub.url(), tmp_path / "model.bin", SHA256)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert hub.ranges == [None, "bytes=2000000-", "bytes=2000001-", "bytes=3500001-"]
    cuts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert cuts[0] == "model.bin: the line was cut after 2 of 5 MB; going on"
    assert len(cuts) == 3


def test_what_had_come_of_it_when_it_was_given_up_is_gone_on_with_by_the_next_call(
    hub: Hub, tmp_path: Path
) -> None:
    hub.cuts = [2_000_000, 0, 0, 0, 0]
    assert "the line was cut after 2 of 5 MB" in refusal(hub.url(), tmp_path / "model.bin")
    assert hub.ranges == [None, *["bytes=2000000-"] * 4]
    hub.cuts.clear()
    download(hub.url(), tmp_path / "model.bin")
    assert hub.ranges[5:] == ["bytes=2000000-"]
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.parametrize("change", ["another file", "no ranges", "shorter"])
def test_where_the_rest_of_the_same_file_is_not_to_be_had_it_begins_anew(
    hub: Hub, tmp_path: Path, change: str
) -> None:
    hub.cuts = [2_000_000, 0, 0, 0, 0]
    refusal(hub.url(), tmp_path / "model.bin")
    hub.cuts.clear()
    if change == "another file":
        hub.content, hub.etag = OTHER, '"two"'
    elif change == "shorter":
        hub.content, hub.etag = OTHER[:1_000_000], '"three"'
    hub.knows_ranges = change != "no ranges"
    download(hub.url(), tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == hub.content


def test_a_part_that_nothing_tells_to_be_of_the_same_file_is_not_gone_on_with(
    hub: Hub, tmp_path: Path
) -> None:
    """Neither an ETag nor a hash: one half of each of two files would be a model, too."""
    hub.etag, hub.cuts = "", [2_000_000, 0, 0, 0, 0]
    refusal(hub.url(), tmp_path / "model.bin")
    hub.ranges.clear()
    hub.cuts.clear()
    download(hub.url(), tmp_path / "model.bin")
    assert hub.ranges == [None]


def test_a_file_of_another_hash_is_refused_and_not_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    told = refusal(hub.url(), tmp_path / "model.bin", "0123abcd")
    assert told == "what came is not the published file, or not all of it"
    assert names(tmp_path) == []


def test_the_hash_that_a_hub_tells_where_it_sends_on_is_checked(hub: Hub, tmp_path: Path) -> None:
    download(hub.url("linked"), tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    hub.content = OTHER
    assert "is not the published file" in refusal(hub.url("linked"), tmp_path / "again.bin")


@pytest.mark.parametrize(("path", "said"), [("gone", "404"), ("broken", "500"), ("silent", "timed out")])
def test_what_is_not_to_be_had_is_said_at_once_and_leaves_nothing(
    hub: Hub, tmp_path: Path, path: str, said: str
) -> None:
    assert said in refusal(hub.url(path), tmp_path / "model.bin")
    assert len(hub.ranges) == 1
    assert names(tmp_path) == []


def test_a_file_of_unknown_length_is_known_to_be_whole_by_its_hash(hub: Hub, tmp_path: Path) -> None:
    hub.sends_length = False
    download(hub.url(), tmp_path / "model.bin", SHA256)
    hub.cuts = [1_000_000]
    assert "not all of it" in refusal(hub.url(), tmp_path / "again.bin", SHA256)


def test_a_disk_without_room_for_it_is_said_before_anything_comes(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    told = refusal(hub.url(), tmp_path / "model.bin")
    assert told == "disk full: 5 MB are still to come, and 3 are free"
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_meanwhile_is_said_and_what_came_stays(hub: Hub, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (2_500_000, limits[1])
    )  # writing fails, as at the end of a disk
    try:
        told = refusal(hub.url(), tmp_path / "model.bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told == f"disk full after 2 of 5 MB: {os.strerror(errno.EFBIG)}"
    download(hub.url(), tmp_path / "model.bin")
    assert hub.ranges == [None, "bytes=2500000-"]
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_how_much_has_come_is_logged(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "_SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level(logging.INFO)
    download(hub.url(), tmp_path / "model.bin")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "fetching model.bin: 0 of 5 MB"
    assert "fetching model.bin: 3 of 5 MB" in lines
    assert lines[-1] == "fetching model.bin: 5 of 5 MB"


def test_of_those_who_want_it_at_once_one_fetches_it(hub: Hub, tmp_path: Path) -> None:
    hub.slowly = 0.02
    threads = [threading.Thread(target=download, args=(hub.url(), tmp_path / "model.bin")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.ranges == [None]
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_ended_in_the_middle_leaves_what_came_for_the_next(
    hub: Hub, tmp_path: Path, ending: signal.Signals
) -> None:
    hub.slowly = 0.1
    program = (
        "import sys; from pathlib import Path; from resonate_resources.models.download import download\n"
        "download(sys.argv[1], Path(sys.argv[2]))"
    )
    path = tmp_path / "model.bin"
    with subprocess.Popen(
        [sys.executable, "-c", program, hub.url(), path], stderr=subprocess.DEVNULL
    ) as process:
        part = tmp_path / "model.bin.part"
        deadline = time.monotonic() + 30
        while not (part.is_file() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(ending)
    came = part.stat().st_size
    assert 0 < came < len(CONTENT)
    hub.slowly = 0.0
    download(hub.url(), path)
    assert hub.ranges == [None, f"bytes={came}-"]
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == ["model.bin"]


@pytest.mark.parametrize("about", ["", "[]", "null", json.dumps({"etag": '"one"'})])
def test_what_was_written_about_a_part_and_makes_no_sense_costs_no_more_than_to_begin_anew(
    hub: Hub, tmp_path: Path, about: str
) -> None:
    (tmp_path / "model.bin.part").write_bytes(OTHER)
    (tmp_path / "model.bin.part.json").write_text(about)
    download(hub.url(), tmp_path / "model.bin", SHA256)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
