"""Safety: who may ask, from where, how much, and what may be done with an answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from resonate_studio.api import routes_of_page
from resonate_studio.api.access import POLICY, Token
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_studio.studio_server import serving
from resonate_tests.studio.api.conftest import ADDRESS


@pytest.mark.parametrize("host", ["localhost:3100", "127.0.0.1:3100", "[::1]:3100", "LOCALHOST"])
def test_this_machine_is_known_by_each_of_its_names(client: TestClient, host: str) -> None:
    assert client.get("/api/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:3100", "", "0.0.0.0"]
)
def test_a_name_that_was_bound_to_this_machine_by_somebody_else_is_refused(
    client: TestClient, host: str
) -> None:
    for path in ("/api/v1/health", "/"):
        assert client.get(path, headers={"Host": host}).status_code == 403


def test_a_request_that_names_two_hosts_is_refused_whichever_of_them_is_ours(client: TestClient) -> None:
    for hosts in (("127.0.0.1:3100", "evil.example"), ("evil.example", "127.0.0.1:3100")):
        answer = client.get("/api/v1/health", headers=[("Host", host) for host in hosts])
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ADDRESS.replace("http:", "https:")},  # nothing here speaks it
        {"Origin": "http://127.0.0.1:3000"},  # another port is another page
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_page_can_change_nothing(client: TestClient, track: str, headers: dict[str, str]) -> None:
    for method, path in (
        ("POST", f"/api/v1/tracks/{track}/process"),
        ("DELETE", f"/api/v1/tracks/{track}"),
        ("PATCH", f"/api/v1/tracks/{track}/brief"),
        ("POST", "/api/v1/jobs"),
        ("POST", "/api/v1/cache/clear"),
    ):
        assert client.request(method, path, headers=headers).status_code == 403


def test_our_own_page_and_programs_without_a_page_can(client: TestClient) -> None:
    for headers in ({"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}, {}):
        answer = client.post("/api/v1/cache/clear", json={"older_than_days": 3650}, headers=headers)
        assert answer.status_code == 200


def test_every_answer_says_that_it_is_not_to_be_framed_sniffed_or_read_elsewhere(
    client: TestClient, track: str
) -> None:
    for path in (
        "/api/v1/health",
        "/api/v1/nothing",
        f"/api/v1/tracks/{track}/files/master/master.wav",
        "/",
        "/x",
    ):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
    assert "unsafe" not in POLICY
    assert "default-src 'self'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_another_address_is_open_only_to_whoever_has_the_token(opened: Opened, tmp_path: Path) -> None:
    token = Token(tmp_path / "token.json")
    secret = token.make()
    assert secret not in (tmp_path / "token.json").read_text()
    assert (tmp_path / "token.json").stat().st_mode & 0o077 == 0
    address = "http://192.0.2.7:3100"
    with TestClient(create_app(opened, "192.0.2.7", token), base_url=address) as client:
        assert client.get("/api/v1/health").status_code == 401
        assert client.get("/api/v1/openapi.json").status_code == 401
        for wrong in ("Bearer wrong", "Bearer ", f"Basic {secret}"):
            assert client.get("/api/v1/health", headers={"Authorization": wrong}).status_code == 401
        right = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/v1/health", headers=right).status_code == 200
        assert client.get("/api/v1/health", headers=right | {"Host": "evil.example"}).status_code == 403
        assert client.post("/api/v1/login", json={"token": "wrong"}).status_code == 401
        told = client.post("/api/v1/login", json={"token": secret})
        assert told.status_code == 204
        cookie = told.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert client.get("/api/v1/health").status_code == 200  # the client keeps the cookie
        token.make()
        assert client.get("/api/v1/health").status_code == 401


def test_a_damaged_token_file_lets_nobody_in(tmp_path: Path) -> None:
    for content in ("", "{}", "[]", json.dumps({"sha256": None})):
        (tmp_path / "token.json").write_text(content)
        assert not Token(tmp_path / "token.json").fits("")
        assert not Token(tmp_path / "token.json").fits("None")


def test_studios_that_are_given_a_token_take_the_same_one_and_keep_none(
    opened: Opened, tmp_path: Path
) -> None:
    secret = "0123456789abcdef" * 2
    for number in range(2):
        token = Token(tmp_path / f"{number}.json", secret)
        address = f"http://192.0.2.{number}:3100"
        with TestClient(create_app(opened, f"192.0.2.{number}", token), base_url=address) as client:
            assert client.get("/api/v1/health").status_code == 401
            right = {"Authorization": f"Bearer {secret}"}
            assert client.get("/api/v1/health", headers=right).status_code == 200
        with pytest.raises(ValueError, match="changed where it is given"):
            token.make()
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize("given", ["secret", " " * 40, "0123456789abcdef" * 2 + "\n", "ü" * 40, "a;b" * 20])
def test_a_given_token_that_can_be_guessed_or_that_nobody_can_send_is_refused(
    tmp_path: Path, given: str
) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        Token(tmp_path / "token.json", given)


def test_a_body_that_is_larger_than_anything_asked_for_is_not_read(client: TestClient, track: str) -> None:
    answer = client.patch(f"/api/v1/tracks/{track}/brief", content=b"x" * (2**20 + 1))
    assert answer.status_code == 413


def test_what_a_person_called_a_track_is_sent_as_data_and_never_as_a_page(
    client: TestClient, track: str
) -> None:
    for path in ("/api/v1/tracks", f"/api/v1/tracks/{track}"):
        assert client.get(path).headers["content-type"] == "application/json"


@pytest.fixture
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is built, wherever these tests run."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Resonate</title>")
    monkeypatch.setattr(routes_of_page, "built_files", lambda: {"index.html": tmp_path / "index.html"})


@pytest.mark.usefixtures("_built")
def test_what_the_page_has_nothing_at_is_not_found(client: TestClient) -> None:
    there = {"/": 200, "/tracks/some-track": 200, "/nothing": 404, "/tracks/a/b": 404}
    files = {"/favicon.ico": 404, "/index.html%00": 404, "/robots.txt": 404}
    asked = {**there, **files}
    assert {path: client.get(path).status_code for path in asked} == asked
    assert all(client.get(path).content == b"" for path in files)


@pytest.mark.usefixtures("_built")
def test_files_and_the_page_answer_head_as_get_without_what_follows(client: TestClient, track: str) -> None:
    for path in (
        "/",
        f"/api/v1/tracks/{track}/cover",
        f"/api/v1/tracks/{track}/files/master/master.wav",
        "/api/v1/catalogue",
        f"/api/v1/tracks/{track}/archive",
    ):
        head, whole = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        told = {"content-type", "content-length", "content-disposition"} & whole.headers.keys()
        assert {name: head.headers[name] for name in told} == {name: whole.headers[name] for name in told}


def test_a_body_that_is_no_json_is_told_in_words(client: TestClient, track: str) -> None:
    headers = {"content-type": "application/json"}
    answer = client.patch(f"/api/v1/tracks/{track}/brief", content=b"{", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("the body is no JSON: ")


def test_any_other_address_is_the_page_and_never_a_file_of_the_server(client: TestClient) -> None:
    for path in ("/", "/tracks/x", "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2fetc/passwd"):
        answer = client.get(path)
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "root:" not in answer.text


def test_a_server_that_ends_while_clients_listen_or_take_nothing_tells_of_no_failure(
    opened: Opened, track: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    what = "original,mix,master,stems,restored_stems"
    paths = ["events", "events", f"tracks/{track}/archive?what={what}"]
    clients = []
    with serving(opened.settings, "127.0.0.1", port, instance=opened.instance):
        for path in paths:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(("127.0.0.1", port))
            client.sendall(f"GET /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
            clients.append(client)
    for client in clients:
        client.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert "Traceback" not in caplog.text


def test_a_page_behind_a_server_that_speaks_https_is_known_by_the_name_that_people_use(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_PAGE", "https://studio.example.com/")
    token = Token(tmp_path / "token.json")
    session = {"Authorization": f"Bearer {token.make()}", "Host": "studio.example.com"}
    with TestClient(create_app(opened, "0.0.0.0", token)) as client:
        assert client.get("/api/v1/health", headers=session).status_code == 200
        own = session | {"Origin": "https://studio.example.com"}
        assert client.post("/api/v1/cache/clear", headers=own).status_code != 403
        assert client.get("/api/v1/health", headers=session | {"Host": "evil.example"}).status_code == 403
    with TestClient(create_app(opened, "192.0.2.7", token)) as client:  # one address alone is listened on
        assert client.get("/api/v1/health", headers=session).status_code == 403
