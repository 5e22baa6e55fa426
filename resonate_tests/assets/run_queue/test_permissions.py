"""docker/policies/rabbitmq.sh: users that may do what their processes do, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from kombu import Connection

from resonate_tests.assets.run_queue.conftest import REPOSITORY, Launched, prepare
from resonate_tests.rabbitmq_server import RabbitMQ

PASSWORDS = {"launcher": "one", "worker": "two", "scaler": "three"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[RabbitMQ]:
    rabbitmq = RabbitMQ()
    try:
        script = REPOSITORY / "docker" / "policies" / "rabbitmq.sh"
        given = {f"RESONATE_BROKER_{user.upper()}_PASSWORD": password for user, password in PASSWORDS.items()}
        for _ in range(2):  # as often as wanted
            rabbitmq.control(script, given)
        yield rabbitmq
    finally:
        rabbitmq.end()


def url(guarded: RabbitMQ, user: str) -> str:
    return guarded.url_of(f"resonate-{user}", PASSWORDS[user])


def test_a_run_is_handed_over_and_carried_out_by_users_with_no_more_rights_than_that(
    guarded: RabbitMQ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path, monkeypatch, url(guarded, "launcher"))
    with dg.DagsterInstance.get() as instance:
        launched = Launched(instance, tmp_path)
        launched.let_go()
        run = launched.run()
        launched.launch(run)
        with Connection(url(guarded, "launcher")) as connection:
            waiting = connection.default_channel.queue_declare("cpu", passive=True)
        assert waiting.message_count == 1
        monkeypatch.setenv("RESONATE_BROKER", url(guarded, "worker"))
        try:
            launched.worker()
            launched.until(lambda: launched.status(run) == dg.DagsterRunStatus.SUCCESS)
        finally:
            launched.end()


def test_nobody_has_rights_beyond_the_queues_and_everybody_knows_no_password(guarded: RabbitMQ) -> None:
    for user in PASSWORDS:
        with Connection(url(guarded, user)) as connection:
            refused = pytest.raises(connection.channel_errors, match="ACCESS_REFUSED")
            with refused:
                connection.default_channel.queue_declare("another")
    with Connection(url(guarded, "scaler")) as connection:
        refused = pytest.raises(connection.channel_errors, match="ACCESS_REFUSED")
        with refused:
            connection.default_channel.basic_get("cpu")
    with Connection(guarded.url) as connection:
        refused = pytest.raises(connection.channel_errors, match="ACCESS_REFUSED")
        with refused:
            connection.connect()
