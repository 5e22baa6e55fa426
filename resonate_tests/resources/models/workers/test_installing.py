import base64
import fcntl
import hashlib
import re
import subprocess
import sys
import zipfile

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
    assert (
        toy.unavailable() == f"toy has no environment at {toy.directory}: run `resonate workers install toy`"
    )

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
        assert refusal(toy) == "toy: another process is making it"


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
