import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from resonate_resources.models.workers.client import Worker, WorkerError

PROGRAM = """
import os, sys, time
from resonate_resources.recordings.recording import AudioError
from resonate_resources.models.workers.server import serve

def work(job, progress):
    began = time.monotonic()
    for step in range(job.get("steps", 0)):
        progress(step / job["steps"])
        time.sleep(0.02)
    if "refuse" in job:
        raise AudioError(job["refuse"])
    if "raise" in job:
        raise {"KeyError": KeyError, "ValueError": ValueError, "OSError": OSError}[job["raise"]]("two\\nlines")
    if "exit" in job:
        sys.exit(job["exit"])
    if "die" in job:
        print("what it said last", file=sys.stderr, flush=True)
        os.kill(os.getpid(), job["die"])
    return {"pid": os.getpid(), "began": began, "ended": time.monotonic(), "echo": job.get("echo")}

serve(sys.argv[1], work, float(os.environ.get("TEST_IDLE", "60")))
"""


@pytest.fixture
def worker(monkeypatch):
    """A worker whose environment is the one of the tests; it ends with the test."""
    place = Path(tempfile.mkdtemp(prefix="rt-"))  # short, as the path of a socket must be
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("RESONATE_WORKERS", str(place / "workers"))
    python = place / "workers" / "toy" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (place / "program.py").write_text(PROGRAM)
    worker = Worker("toy", place / "program.py")
    yield worker
    worker.stop()
    shutil.rmtree(place)


def failure(worker, job):
    with pytest.raises(WorkerError) as raised:
        worker.run(job)
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_job_goes_there_and_its_result_comes_back_in_any_script(worker):
    assert worker.run({"echo": {"názov": ["песня", 1.5, None]}})["echo"] == {"názov": ["песня", 1.5, None]}


def test_the_same_process_does_the_next_job(worker):
    first = worker.run({})["pid"]
    assert worker.run({})["pid"] == first != os.getpid()


def test_progress_is_told_while_it_works(worker):
    told = []
    worker.run({"steps": 4}, told.append)
    assert told == [0, 0.25, 0.5, 0.75]


def test_processes_that_start_it_at_once_are_served_by_one(worker):
    program = (
        "import sys; from pathlib import Path; from resonate_resources.models.workers.client import Worker\n"
        "print(Worker('toy', Path(sys.argv[1])).run({'steps': 2})['pid'])"
    )
    clients = [
        subprocess.Popen([sys.executable, "-c", program, worker.program], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({client.communicate()[0] for client in clients}) == 1
    assert [client.returncode for client in clients] == [0] * 4


def test_jobs_are_done_one_at_a_time(worker):
    results = []
    threads = [threading.Thread(target=lambda: results.append(worker.run({"steps": 5}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.sort(key=lambda result: result["began"])
    assert len(results) == 4
    for earlier, later in pairwise(results):
        assert earlier["ended"] <= later["began"]


def test_it_ends_when_idle_and_the_next_job_starts_another(worker, monkeypatch):
    monkeypatch.setenv("TEST_IDLE", "0.2")
    first = worker.run({})["pid"]
    psutil.wait_procs([psutil.Process(first)], timeout=20)
    assert not list(worker.log.parent.glob("*.sock"))
    assert worker.run({})["pid"] != first


def test_jobs_that_come_as_it_is_about_to_end_are_done(worker, monkeypatch):
    monkeypatch.setenv("TEST_IDLE", "0.01")
    for pause in (0, 0.005, 0.01, 0.015, 0.02):
        time.sleep(pause)
        assert worker.run({"echo": pause})["echo"] == pause


def test_it_ends_when_told_to(worker):
    process = psutil.Process(worker.run({})["pid"])
    worker.stop()
    assert process in psutil.wait_procs([process], timeout=20)[0]
    worker.stop()  # nothing to do


def test_what_it_refuses_is_told_in_its_words_and_by_its_kind(worker):
    refused = failure(worker, {"refuse": "song.wav: has no frames"})
    assert (str(refused), refused.kind) == ("song.wav: has no frames", "AudioError")


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ({"raise": "KeyError"}, r"KeyError: 'two\nlines'"),
        ({"raise": "ValueError"}, "ValueError: two lines"),
        ({"raise": "OSError"}, "OSError: two lines"),
        ({"exit": 1}, "SystemExit: 1"),
    ],
)
def test_it_survives_what_goes_wrong_in_a_job(worker, job, told):
    pid = worker.run({})["pid"]
    assert str(failure(worker, job)) == told
    assert worker.run({})["pid"] == pid
    assert told.partition(":")[0] in worker.log.read_text()


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_at_work_is_told_with_the_end_of_its_log(worker, death):
    first = worker.run({})["pid"]
    told = str(failure(worker, {"die": death}))
    assert "ended in the middle of its work" in told
    assert "what it said last" in told
    assert str(worker.log) in told
    assert worker.run({})["pid"] != first


def test_a_worker_that_was_killed_between_jobs_is_started_again(worker):
    first = psutil.Process(worker.run({})["pid"])
    first.kill()
    psutil.wait_procs([first], timeout=20)
    assert worker.run({})["pid"] != first.pid


def test_it_survives_clients_that_die_or_make_no_sense(worker):
    pid = worker.run({})["pid"]
    (address,) = worker.log.parent.glob("*.sock")
    for message in (
        json.dumps({"steps": 50}).encode() + b"\n",
        b"no JSON\n",
        b"[1]\n",
        b"half a li",
        b"\xff\xfe\n",
        b"",
    ):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(address))
            client.sendall(message)
    assert worker.run({})["pid"] == pid


def test_the_work_for_a_client_that_died_is_given_up(worker):
    worker.run({})
    (address,) = worker.log.parent.glob("*.sock")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(address))
        client.sendall(json.dumps({"steps": 100_000}).encode() + b"\n")
        client.recv(1)
    worker.run({})  # would wait for half an hour


def test_a_program_that_does_not_start_is_told_with_the_end_of_its_log(worker):
    worker.program.write_text("import no_such_package")
    assert "No module named 'no_such_package'" in str(failure(worker, {}))


def test_a_changed_program_is_not_done_by_a_worker_from_before(worker):
    before = worker.run({})["pid"]
    worker.program.write_text(PROGRAM + "\n")
    os.utime(worker.program, (1, 1))
    after = Worker("toy", worker.program)
    assert after.run({})["pid"] != before
    after.stop()


def test_without_its_environment_it_is_not_available(worker, monkeypatch):
    assert worker.available() is None
    monkeypatch.setenv("RESONATE_WORKERS", "/nowhere")
    elsewhere = Worker("toy", worker.program)
    told = "toy has no environment at /nowhere/toy: run `make workers`"
    assert elsewhere.available() == told
    assert str(failure(elsewhere, {})) == told


def test_what_the_caller_raises_at_progress_is_its_own_and_ends_the_job(worker):
    def refuse(done):
        raise ConnectionError("of the caller's own database")

    with pytest.raises(ConnectionError, match="own database"):
        worker.run({"steps": 100_000}, refuse)
    worker.run({})  # would wait for half an hour


def test_a_place_too_deep_for_a_socket_is_one_line(worker, monkeypatch):
    deep = Path(tempfile.gettempdir()) / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert "set TMPDIR" in str(failure(Worker("toy", worker.program), {}))


def test_a_place_that_others_can_enter_is_refused(worker):
    place = Path(tempfile.gettempdir()) / f"resonate-{os.getuid()}"
    place.mkdir(mode=0o755)
    assert "is not ours alone" in str(failure(worker, {}))
    place.chmod(0o700)
