"""Runs wait in a broker for long-lived workers, and each is carried out once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from resonate_assets.run_queue.queues import VERSION, VERSION_TAG
from resonate_assets.run_queue.worker import carry_out
from resonate_assets.runs import report_dead_runs
from resonate_assets.settings import Settings
from resonate_resources.machines import ledger
from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import settle
from resonate_resources.storage import heartbeats
from resonate_resources.storage.database import transaction
from resonate_tests.assets.run_queue.conftest import Launched
from resonate_tests.rabbitmq_server import RabbitMQ
from resonate_tests.resources.machines.test_tending import pass_by

Status = dg.DagsterRunStatus


def test_a_run_is_carried_out_once_however_often_its_message_comes(launched: Launched) -> None:
    launched.let_go()
    run = launched.run()
    assert [carry_out(run) for _ in range(3)] == ["carried out", "begun", "begun"]
    assert [each for each, _ in launched.begun()] == [run]
    assert launched.status(run) == Status.SUCCESS


def test_a_message_of_a_run_that_is_gone_does_nothing(launched: Launched) -> None:
    assert carry_out("00000000-0000-0000-0000-000000000000") == "unknown"


def test_a_message_of_a_run_that_another_process_has_does_nothing(launched: Launched) -> None:
    run = launched.run()
    with heartbeats.holding(Settings.from_environment().database_url, "run", run, 1):
        assert carry_out(run) == "taken"
    assert launched.begun() == []


def test_a_run_that_is_cancelled_before_a_worker_has_it_never_begins(launched: Launched) -> None:
    run = launched.run()
    assert launched.launcher.terminate(run)
    assert launched.status(run) == Status.CANCELED
    assert carry_out(run) == "begun"
    assert launched.begun() == []


def test_a_run_that_is_cancelled_in_its_midst_unwinds_and_its_process_takes_the_next(
    launched: Launched,
) -> None:
    run = launched.run()

    def cancel() -> None:
        launched.until(lambda: bool(launched.begun()))
        launched.launcher.terminate(run)

    thread = threading.Thread(target=cancel)
    thread.start()
    began = time.monotonic()
    assert carry_out(run) == "carried out"
    thread.join()
    assert time.monotonic() - began < 60  # the job waits for five minutes
    assert launched.status(run) == Status.CANCELED
    launched.let_go()
    other = launched.run()
    carry_out(other)
    assert launched.status(other) == Status.SUCCESS


def test_a_worker_takes_the_most_urgent_first_in_one_process_that_stays(launched: Launched) -> None:
    launched.let_go()
    runs = {priority: launched.run(priority) for priority in (-16, -1, -8, 0, -3)}
    for run in runs.values():
        launched.launch(run)
    launched.worker()
    launched.until(lambda: all(launched.status(run) == Status.SUCCESS for run in runs.values()))
    assert [run for run, _ in launched.begun()] == [runs[each] for each in (0, -1, -3, -8, -16)]
    assert len({process for _, process in launched.begun()}) == 1


def test_a_process_that_was_idle_gives_its_memory_back_and_another_takes_the_next(launched: Launched) -> None:
    launched.let_go()
    launched.worker("--idle-seconds", "3")
    first = launched.run()
    launched.launch(first)
    launched.until(lambda: launched.status(first) == Status.SUCCESS)
    launched.until(lambda: not Path(f"/proc/{launched.begun()[0][1]}").exists())
    second = launched.run()
    launched.launch(second)
    launched.until(lambda: launched.status(second) == Status.SUCCESS)
    assert len({process for _, process in launched.begun()}) == 2


def test_a_killed_worker_s_run_is_ended_and_what_it_had_not_begun_goes_to_another(launched: Launched) -> None:
    launched.worker()
    first, second = launched.run(), launched.run()
    launched.launch(first)
    launched.until(lambda: bool(launched.begun()))
    launched.launch(second)
    ((_, process),) = launched.begun()
    killed = launched._workers[0]
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    launched.until(lambda: not Path(f"/proc/{process}").exists())
    launched.let_go()
    launched.worker()
    launched.until(lambda: launched.status(second) == Status.SUCCESS)
    url, watch = Settings.from_environment().database_url, heartbeats.Watch()

    def ended() -> bool:
        report_dead_runs(launched.instance, url, watch)
        return launched.status(first) == Status.FAILURE

    launched.until(ended, 120)
    assert [run for run, _ in launched.begun()] == [first, second]


def test_a_process_killed_alone_is_replaced_and_its_run_does_not_begin_again(launched: Launched) -> None:
    """As the kernel does where memory runs out."""
    launched.worker()
    first, second = launched.run(), launched.run()
    launched.launch(first)
    launched.until(lambda: bool(launched.begun()))
    os.kill(launched.begun()[0][1], signal.SIGKILL)
    launched.launch(second)
    launched.let_go()
    launched.until(lambda: launched.status(second) == Status.SUCCESS)
    assert [run for run, _ in launched.begun()] == [first, second]


def test_a_run_that_a_newer_resonate_asked_for_is_left_to_a_newer_worker(launched: Launched) -> None:
    launched.let_go()
    newer, own = launched.run(), launched.run()
    launched.instance.add_run_tags(newer, {VERSION_TAG: "9999.0.0"})
    launched.worker()
    launched.launch(newer)
    launched.launch(own)
    launched.until(lambda: launched.status(own) == Status.SUCCESS)
    launched.until(lambda: "asked for by Resonate 9999.0.0" in launched.told())
    assert launched.status(newer) == Status.STARTING
    assert [run for run, _ in launched.begun()] == [own]
    launched.instance.add_run_tags(newer, {VERSION_TAG: VERSION})  # as a newer worker sees it
    launched.launcher.hand_over_again()  # as the sensor does, again and again
    launched.until(lambda: launched.status(newer) == Status.SUCCESS)


def test_at_the_cap_of_a_day_workers_take_no_run_for_the_gpu_until_the_next(
    launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MACHINE": "ec2:Name=gpu", "PRICE": "3600", "DAY_CAP": "10"}.items():  # 1 a second
        monkeypatch.setenv(f"RESONATE_GPU_{name}", value)
    url = Settings.from_environment().database_url
    for _ in range(2):
        settle(url, "ec2:Name=gpu", 3600, "running", Need(0, 1), 10)
    launched.worker("--queue", "cpu", "--queue", "gpu")
    first, second = launched.run(queue="gpu"), launched.run(queue="gpu")
    launched.launch(first)
    launched.until(lambda: bool(launched.begun()))
    launched.launch(second)
    pass_by(url, 2 * 86_400)
    settle(url, "ec2:Name=gpu", 3600, "running", Need(1, 1), 10)
    launched.let_go()
    launched.until(lambda: f"run {second} waits: the cap of 10 a day is reached" in launched.told())
    other = launched.run(queue="cpu")
    launched.launch(other)
    launched.until(lambda: launched.status(other) == Status.SUCCESS)
    assert launched.status(first) == Status.SUCCESS  # what was at work is not broken off
    assert launched.status(second) == Status.STARTING
    assert [run for run, _ in launched.begun()] == [first, other]
    with transaction(url) as db:
        db.execute(sa.delete(ledger._days))  # as on the next day
    launched.launcher.hand_over_again()  # as the sensor does, again and again
    launched.until(lambda: launched.status(second) == Status.SUCCESS)


def test_a_worker_whose_disk_is_full_leaves_runs_to_others(
    launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = launched.run()
    monkeypatch.setenv("RESONATE_KEEP_FREE_GIB", "1e9")
    assert carry_out(run) == "left"
    assert (launched.status(run), launched.begun()) == (Status.STARTING, [])
    launched.let_go()
    monkeypatch.delenv("RESONATE_KEEP_FREE_GIB")
    assert carry_out(run) == "carried out"


def test_sigterm_ends_a_worker_once_its_run_is_carried_out(launched: Launched) -> None:
    worker, run, other = launched.worker(), launched.run(), launched.run()
    launched.launch(run)
    launched.until(lambda: bool(launched.begun()))
    launched.launch(other)
    worker.terminate()
    time.sleep(3)
    assert worker.poll() is None
    launched.let_go()
    assert worker.wait(60) == 0
    assert launched.status(run) == Status.SUCCESS
    assert [each for each, _ in launched.begun()] == [run]


def test_a_worker_outlives_its_broker(launched: Launched, broker: RabbitMQ) -> None:
    launched.worker()
    first = launched.run()
    launched.launch(first)
    launched.until(lambda: bool(launched.begun()))
    broker.stop()
    second = launched.run()
    launched.launch(second)  # nobody takes it now
    assert launched.status(second) == Status.STARTING
    broker.start()
    launched.let_go()
    launched.until(lambda: launched.status(first) == Status.SUCCESS)
    launched.until(
        lambda: bool(launched.launcher.hand_over_again()) or launched.status(second) != Status.STARTING
    )
    launched.until(lambda: launched.status(second) == Status.SUCCESS)
    assert sorted(run for run, _ in launched.begun()) == sorted([first, second])


def test_a_worker_and_its_runs_speak_json_where_that_is_asked_for(
    launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESONATE_LOG", "json")
    launched.let_go()
    run = launched.run()
    launched.launch(run)
    launched.worker()
    launched.until(lambda: "succeeded" in launched.told())
    lines = launched.told().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    assert ("STEP_SUCCESS", "work") in [(each.get("event"), each.get("stage")) for each in said]
    assert {each["run"] for each in said if "run" in each} == {run}
    assert any("ready" in each["message"] and each["logger"].startswith("celery") for each in said)
    assert not [line for line in lines if "/MainProcess]" in line or "/ForkPoolWorker" in line]
