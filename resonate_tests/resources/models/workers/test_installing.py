import base64
import fcntl
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from resonate_resources.models.workers import installing
from resonate_resources.models.workers.environments import ENVIRONMENTS, Environment
from resonate_resources.models.workers.installing import InstallationError, install, remove, size_of


def digest(content):
    sha256 = hashlib.sha256(content.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(sha256).decode().rstrip("=")


def wheel(folder, name, version, text, requires=()):
    """A package of one module, as an index has it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": text,
        f"{info}/METADATA": "\n".join(
            [
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
                *(f"Requires-Dist: {each}" for each in requires),
            ]
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{digest(content)},{len(content)}\n" for path, content in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """An environment of three packages out of a folder: a torch, one that comes with another, one by itself."""
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "workers"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(installing.shutil, "which", lambda name: None)  # not by a uv that may be here
    wheel(tmp_path, "torch", "2.13.0", "weights = 'small build'\n")
    wheel(tmp_path, "wanted", "1.0", "import torch, brought\n", ["torch", "brought"])
    wheel(tmp_path, "brought", "2.0", "version = '2.0'\n")
    wheel(tmp_path, "bare", "1.0", "import wanted\n", ["not-to-be-had"])
    (tmp_path / "toy.txt").write_text("torch==2.13.0 # as elsewhere\nwanted\n")
    (tmp_path / "toy.constraints.txt").write_text("torch==2.13.0\nbrought==1.0\n")
    (tmp_path / "toy.no_deps.txt").write_text("bare==1.0\n")
    return Environment("toy", "tests", tmp_path / "toy")


def says(environment, program):
    told = subprocess.run(
        [environment.python, "-I", "-c", program], capture_output=True, text=True, check=True
    ).stdout
    return told.strip()


def refusal(environment):
    with pytest.raises(InstallationError) as raised:
        install(environment, lambda line: None)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_its_lists_say_is_installed_and_what_was_broken_off_is_gone_on_with(toy, tmp_path):
    assert toy.unavailable() == "toy has no environment: run `resonate workers install toy`"

    told = refusal(toy)  # one package is not to be had
    assert told.startswith("toy: can't be made (ERROR: ")
    assert "run `resonate workers install toy` again" in told
    assert "is half made" in toy.unavailable()

    wheel(tmp_path, "brought", "1.0", "version = '1.0'\n")  # now it is; and of another a kill has left half
    (site,) = toy.directory.glob("lib/python*/site-packages")
    (site / "torch.py").write_text("weights = 'sm")
    pip = (site / "pip" / "__init__.py").stat().st_ino
    lines = []
    assert install(toy, lines.append) is True
    assert "torch had not come whole" in lines
    assert lines.index("torch==2.13.0") < lines.index("what toy.txt lists")
    assert any("Successfully installed" in line for line in lines)  # the installer's own
    assert (site / "pip" / "__init__.py").stat().st_ino == pip  # what was whole has stayed
    assert toy.unavailable() is None
    assert (
        says(toy, "import bare, brought, torch; print(brought.version, torch.weights)") == "1.0 small build"
    )
    assert size_of(toy) > 1e6
    assert install(toy, lines.append) is False

    toy.without_dependencies.write_text("")
    assert "was made by lists from before" in toy.unavailable()
    assert remove(toy) is True
    assert not toy.directory.exists()
    assert remove(toy) is False


def test_an_environment_whose_python_is_broken_is_made_anew(toy, tmp_path):
    wheel(tmp_path, "brought", "1.0", "version = '1.0'\n")
    toy.directory.mkdir(parents=True)
    (toy.directory / "bin").mkdir()
    toy.python.write_text("half a program")
    toy.begun.write_text(toy.fingerprint())
    install(toy, lambda line: None)
    assert says(toy, "import bare, sys; print(sys.version_info[:2])") == str(sys.version_info[:2])


def test_of_two_at_once_one_is_told_so(toy):
    toy.directory.parent.mkdir()
    with (toy.directory.parent / "toy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refusal(toy).startswith("toy: another process is making it")


class SlowIndex(ThreadingHTTPServer):
    """Packages of a folder; each file stops in its middle until it may go on."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), SlowAnswers)
        self.folder, self.may_go_on = folder, threading.Event()

    def handle_error(self, request, client_address):
        """Installers that are killed in the middle are what is tested."""


class SlowAnswers(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/").rpartition("/")[2]
        wheels = [file.name for file in self.server.folder.glob("*.whl")]
        page = "".join(f'<a href="/{each}">{each}</a>' for each in wheels if each.startswith(f"{name}-"))
        content = (self.server.folder / name).read_bytes() if name in wheels else page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if name in wheels else "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        if name in wheels:
            self.server.may_go_on.wait(20)
        self.wfile.write(content[len(content) // 2 :])

    def log_message(self, *args):
        pass


@pytest.fixture
def slow_index(tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with SlowIndex(tmp_path) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.may_go_on.set()
        server.shutdown()
        thread.join()


INSTALLS = """
import sys
from pathlib import Path
from resonate_resources.models.workers import installing
from resonate_resources.models.workers.environments import Environment
installing.shutil.which = lambda name: None
installing._SECONDS_BETWEEN_LINES = 0.1
lists = Path(sys.argv[1])
installing.install(Environment("toy", "tests", lists), lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_one_that_is_ended_in_the_middle_of_a_package_is_gone_on_with_when_its_installer_has_ended(
    toy, tmp_path, monkeypatch, slow_index, ending
):
    monkeypatch.setenv("PYTHONPATH", str(Path(installing.__file__).parents[3]))
    wheel(tmp_path, "torch", "2.13.0", f"weights = 'small build'\n# {os.urandom(1 << 20).hex()}\n")
    wheel(tmp_path, "brought", "1.0", "version = '1.0'\n")
    with subprocess.Popen(
        [sys.executable, "-c", INSTALLS, toy.lists],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as first:
        # Only what tells that half of torch is there.
        assert next(line for line in first.stdout if line.endswith("1 MB have come\n"))
        installers = psutil.Process(first.pid).children(recursive=True)
        first.send_signal(ending)
    if ending == signal.SIGKILL:  # whose installer nobody could end: it goes on, alone
        assert "what one that was killed had started" in refusal(toy)
    slow_index.may_go_on.set()
    _, left = psutil.wait_procs(installers, timeout=60)
    assert not left
    assert "is half made" in toy.unavailable()
    lines = []
    assert install(toy, lines.append) is True
    assert lines[0] == f"going on with {toy.directory}"
    assert (
        says(toy, "import bare, brought, torch; print(brought.version, torch.weights)") == "1.0 small build"
    )
    assert not (toy.directory / "scratch").exists()


def test_where_no_python_fits_it_is_named(toy):
    old = Environment("old", "tests", toy.lists, (3, 6), (3, 7))
    assert refusal(old).startswith("old: wants Python 3.6 to 3.7, which is not here")


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=lambda each: each.name)
def test_every_environment_has_lists_whose_torch_is_the_one_of_the_product(environment):
    torch = installing._torch(environment.wanted)
    assert torch == "torch==2.13.0"
    assert torch in environment.constraints.read_text().splitlines()
    bare = environment.without_dependencies.read_text().splitlines()
    assert all(re.match(r"[\w.-]+==[\w.]+( #.*)?$", line) for line in bare)
