import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from resonate_resources.models.audio_separator import loading
from resonate_resources.models.audio_separator.loading import UnavailableError, download

CONTENT = bytes(range(256)) * 4000


class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/silent":
            self.server.patience.wait(10)
            return
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/half" else CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(loading, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.patience = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.patience.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_is_there_when_all_of_it_has_come(hub, tmp_path):
    download(f"{hub}/model", tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("path", ["half", "broken", "silent"])
def test_of_a_model_that_does_not_come_whole_nothing_is_left(hub, tmp_path, path):
    with pytest.raises(UnavailableError) as raised:
        download(f"{hub}/{path}", tmp_path / "model")
    assert raised.value.address == f"{hub}/{path}"
    assert not list(tmp_path.iterdir())


def test_full_memory_is_no_fault_of_the_file(monkeypatch, tmp_path):
    def load(*args, **settings):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(torch, "load", load)
    with loading._nothing_executed(), pytest.raises(torch.OutOfMemoryError):
        torch.load(tmp_path / "model.ckpt")
