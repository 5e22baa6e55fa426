import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from resonate_resources.models.workers import client as workers_client
from resonate_resources.models.workers.client import Worker, WorkerError, stop_all, warm
from resonate_resources.models.workers.environments import Environment

PROGRAM = (
    f"sys_path = {str(Path(__file__).parents[4])!r}"
    + """
import os, resource, signal, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, sys_path)
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
    if "child" in job:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(job["child"]).write_text(str(child.pid))
    if "say" in job:
        print(job["say"], file=sys.stderr, flush=True)
        time.sleep(job.get("after", 0))
    if "room" in job and not Path(job["once"]).exists():
        Path(job["once"]).write_text("tried")
        held = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (job["room"], held[1]))
        bytearray(job["room"])
    if "hang" in job:
        time.sleep(job["hang"])
    if "stand" in job:
        os.kill(os.getpid(), signal.SIGSTOP)
    if "die" in job and not ("once" in job and Path(job["once"]).exists()):
        Path(job.get("once", os.devnull)).write_text("died")
        print("what it said last", file=sys.stderr, flush=True)
        os.kill(os.getpid(), job["die"])
    return {"pid": os.getpid(), "began": began, "ended": time.monotonic(), "echo": job.get("echo")}

serve(sys.argv[1:3], work, float(os.environ.get("TEST_IDLE", "60")))
"""
)


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """A worker whose environment is the one of the tests; it ends with the test.

    tmp_path: is found before the place for temporary files is another one."""
    place = Path(tempfile.mkdtemp(prefix="rt-"))  # short, as the path of a socket must be
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("RESONATE_WORKERS", str(place / "workers"))
    python = place / "workers" / "toy" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (place / "program.py").write_text(PROGRAM)
    for ending in ("txt", "constraints.txt", "no_deps.txt"):
        (place / f"toy.{ending}").touch()
    environment = Environment("toy", "tests", place / "toy")
    environment.made.write_text(environment.fingerprint())
    worker = Worker(environment, "none.of.ours", program=place / "program.py")
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
        "from resonate_resources.models.workers.environments import Environment\n"
        "program = Path(sys.argv[1]); toy = Environment('toy', 'tests', program.with_name('toy'))\n"
        "print(Worker(toy, 'none.of.ours', program=program).run({'steps': 2})['pid'])"
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
    after = replace(worker)
    assert after.run({})["pid"] != before
    after.stop()


def test_without_its_environment_it_is_not_available(worker, monkeypatch):
    assert worker.available() is None
    monkeypatch.setenv("RESONATE_WORKERS", "/nowhere")
    elsewhere = replace(worker)
    told = "toy has no environment: run `resonate workers install toy`"
    assert elsewhere.available() == told
    assert str(failure(elsewhere, {})) == told


def test_an_environment_that_is_half_made_is_not_used(worker):
    worker.environment.made.unlink()
    told = "toy is half made: run `resonate workers install toy`"
    assert str(failure(worker, {})) == told


def test_a_job_whose_worker_was_killed_is_done_by_another_and_that_is_said(worker, tmp_path, caplog):
    first = worker.run({})["pid"]
    job = {"die": signal.SIGKILL, "once": str(tmp_path / "once")}
    assert worker.run(job)["pid"] != first
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "ended in the middle of its work" in warning.message
    assert "what it said last" in warning.message
    assert "tried once more" in warning.message


def test_a_job_whose_worker_has_no_memory_left_is_done_by_another_and_that_is_said(worker, tmp_path, caplog):
    first = psutil.Process(worker.run({})["pid"])
    job = {"room": 2 << 30, "once": str(tmp_path / "once")}
    assert worker.run(job)["pid"] != first.pid
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "out of memory" in warning.message
    assert "its log ends: MemoryError" in warning.message
    assert not psutil.wait_procs([first], timeout=20)[1]


def test_a_worker_that_is_killed_leaves_its_socket_and_log_alone_and_those_go_on_being_used(worker):
    """Of a hundred kills there are no more files than of one."""
    process = psutil.Process(worker.run({})["pid"])
    before = sorted(path.name for path in worker.log.parent.iterdir())
    for _ in range(3):
        process.kill()
        psutil.wait_procs([process], timeout=20)
        process = psutil.Process(worker.run({})["pid"])
    assert sorted(path.name for path in worker.log.parent.iterdir()) == before


def test_what_a_worker_writes_is_logged_by_its_caller_while_it_works(worker, caplog):
    caplog.set_level(logging.INFO)
    worker.run({"say": "of the first job"})
    caplog.clear()
    told_at = []
    caplog.handler.addFilter(lambda record: told_at.append(time.monotonic()) or True)
    ended = worker.run({"say": "of the second", "after": 2.0})["ended"]
    assert [record.getMessage() for record in caplog.records] == ["toy: of the second"]
    assert told_at[0] < ended


def test_a_worker_that_says_nothing_for_too_long_is_ended_and_the_next_job_has_another(worker):
    hasty = replace(worker, silence_seconds=1.0)
    first = psutil.Process(hasty.run({})["pid"])
    began = time.monotonic()
    told = str(failure(hasty, {"hang": 600}))
    assert time.monotonic() - began < 8
    assert "said nothing for 1 s and was ended" in told
    assert "in work" in hasty.log.read_text()  # where it hung
    assert first in psutil.wait_procs([first], timeout=20)[0]
    assert hasty.run({})["pid"] != first.pid
    hasty.stop()


def test_progress_is_a_sign_of_life(worker):
    patient = replace(worker, silence_seconds=0.5)
    assert patient.run({"steps": 60})["pid"]
    patient.stop()


def test_one_that_hangs_with_nobody_waiting_ends_too(worker):
    hasty = replace(worker, silence_seconds=1.0)
    process = psutil.Process(hasty.run({})["pid"])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(hasty.log.with_suffix(".sock")))
        client.sendall(json.dumps({"hang": 600}).encode() + b"\n")
        client.recv(1)
    assert process in psutil.wait_procs([process], timeout=20)[0]


def test_one_that_stands_still_is_killed_with_all_that_it_has_started(worker, tmp_path, monkeypatch):
    """A stopped process runs no watch of its own."""
    monkeypatch.setattr(workers_client, "_GRACE_SECONDS", 0.5)
    hasty = replace(worker, silence_seconds=1.0)
    process = psutil.Process(hasty.run({})["pid"])
    failure(hasty, {"child": str(tmp_path / "child"), "stand": True})
    child = psutil.Process(int((tmp_path / "child").read_text()))
    _, left = psutil.wait_procs([process, child], timeout=20)
    assert not [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


def test_no_zombie_is_left_of_one_that_ended(worker, monkeypatch):
    monkeypatch.setenv("TEST_IDLE", "0.1")
    process = psutil.Process(worker.run({})["pid"])
    deadline = time.monotonic() + 20
    while psutil.pid_exists(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(process.pid)


def test_all_that_are_warm_are_found_and_stopped_by_whatever_code_they_were_started(worker):
    process = psutil.Process(worker.run({})["pid"])
    os.utime(worker.program, (1, 1))
    after = replace(worker)
    processes = [process, psutil.Process(after.run({})["pid"])]
    assert len(warm("toy")) == len(warm()) == 2
    assert warm("to") == []
    assert stop_all("toy") == []
    assert not psutil.wait_procs(processes, timeout=20)[1]
    assert warm() == []


def test_one_at_work_is_told_to_stop_and_ends_after_its_job(worker):
    process = psutil.Process(worker.run({})["pid"])
    results = []
    job = threading.Thread(target=lambda: results.append(worker.run({"steps": 50})))
    job.start()
    time.sleep(0.3)
    assert stop_all("toy", patience_seconds=0.1) == warm("toy")
    job.join()
    assert results[0]["pid"] == process.pid
    assert process in psutil.wait_procs([process], timeout=20)[0]


def test_a_warm_call_costs_less_than_50_ms(worker):
    """As the issue asks; the median of calls, as machines are busy."""
    worker.run({})
    costs = []
    for _ in range(15):
        began = time.perf_counter()
        worker.run({"steps": 1})
        costs.append(time.perf_counter() - began - 0.02)  # what a step waits
    assert sorted(costs)[7] < 0.05


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
    assert "set TMPDIR" in str(failure(replace(worker), {}))


def test_a_place_that_others_can_enter_is_refused(worker):
    place = Path(tempfile.gettempdir()) / f"resonate-{os.getuid()}"
    place.mkdir(mode=0o755)
    assert "is not ours alone" in str(failure(worker, {}))
    place.chmod(0o700)
