import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from resonate_resources.models import weights
from resonate_resources.models.weights import (
    ModelError,
    ModelFile,
    fetch,
    models_directory,
    why_missing,
)

CONTENT = bytes(range(256)) * 4000


class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200 if "model" in self.path else 404)
        self.end_headers()

    def do_GET(self):
        self.server.asked += 1
        if "gone" in self.path:
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def published(hub, name):
    return ModelFile(f"http://127.0.0.1:{hub.server_port}/{name}", hashlib.sha256(CONTENT).hexdigest()[:8])


def nobody(name):
    """A file on a port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return ModelFile(f"http://127.0.0.1:{free.getsockname()[1]}/{name}", "0123abcd")


def test_weights_are_fetched_once(hub, tmp_path):
    directory = tmp_path / "models"
    file = published(hub, "model.th")
    assert fetch(file, directory).read_bytes() == CONTENT
    assert fetch(file, directory) == directory / "model.th"
    assert hub.asked == 1
    assert [path.name for path in directory.iterdir()] == ["model.th"]


def test_what_is_not_to_be_had_is_told_in_one_line_that_names_file_and_folder(hub, tmp_path):
    with pytest.raises(ModelError) as refusal:
        fetch(published(hub, "gone.th"), tmp_path)
    assert str(refusal.value).startswith(
        f"gone.th: not in {tmp_path} and not to be had from http://127.0.0.1:"
    )
    assert "404" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_line_names_the_file_and_where_to_put_it(tmp_path):
    file = nobody("weights.th")
    with pytest.raises(ModelError) as refusal:
        fetch(file, tmp_path)
    for line in (why_missing((file,), tmp_path), str(refusal.value)):
        assert "weights.th" in line
        assert str(tmp_path) in line
        assert file.url in line
        assert "\n" not in line


def test_a_file_that_is_not_the_published_one_is_refused(hub, tmp_path):
    (tmp_path / "model.th").write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match=r"model\.th: is not the published file.*delete it"):
        fetch(published(hub, "model.th"), tmp_path)


def test_weights_that_are_here_are_not_asked_for(tmp_path):
    file = nobody("weights.th")
    (tmp_path / "weights.th").write_bytes(b"")
    assert why_missing((file,), tmp_path) is None


def test_weights_on_a_hub_that_answers_can_be_had(hub, tmp_path):
    assert why_missing((published(hub, "model.th"),), tmp_path) is None
    assert "404" in why_missing((published(hub, "gone.th"),), tmp_path)


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(hub, tmp_path):
    (tmp_path / "models").write_text("a file, not a folder")
    with pytest.raises(ModelError, match=r"model\.th: .*models"):
        fetch(published(hub, "model.th"), tmp_path / "models")


def test_the_directory_is_set_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    assert models_directory() == tmp_path
    monkeypatch.delenv("RESONATE_MODELS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert models_directory() == tmp_path / ".cache" / "resonate" / "models"


def test_a_hub_that_cannot_be_reached_is_asked_again_only_after_a_minute(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    file = ModelFile(f"http://127.0.0.1:{port}/model.th", "00")
    now = 1000.0
    monkeypatch.setattr(weights, "time", SimpleNamespace(monotonic=lambda: now))
    assert why_missing((file,), tmp_path) is not None
    with ThreadingHTTPServer(("127.0.0.1", port), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        now += 59
        assert why_missing((file,), tmp_path) is not None
        now += 2
        assert why_missing((file,), tmp_path) is None
        server.shutdown()
