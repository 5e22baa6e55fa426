"""A RabbitMQ server on 127.0.0.1, for tests: started, stopped, and started again with what it had on its disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from resonate_tests.certificates import Certificate
from resonate_tests.programs import required

_UP_SECONDS = 120.0


class RabbitMQ:
    def __init__(self, certificate: Certificate | None = None) -> None:
        """certificate: where TLS is spoken as well."""
        self.certificate = certificate
        self._program = required("rabbitmq-server")
        self._folder = Path(tempfile.mkdtemp(prefix="resonate-rabbitmq-"))
        self._port, self._between_nodes, self._epmd, self._tls_port = free_ports(4)
        (self._folder / "plugins").write_text("[].")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}//"

    @property
    def tls_url(self) -> str:
        return f"amqps://guest:guest@127.0.0.1:{self._tls_port}//"

    def url_of(self, user: str, password: str) -> str:
        return f"amqp://{user}:{password}@127.0.0.1:{self._port}//"

    def control(self, script: Path, environment: Mapping[str, str]) -> None:
        """Run a shell script in which `rabbitmqctl` speaks to this server."""
        programs = self._folder / "programs"
        programs.mkdir(exist_ok=True)
        # What Debian puts on the PATH runs it as another user.
        (programs / "rabbitmqctl").write_text(
            f'#!/bin/sh\nexec {self._program.with_name("rabbitmqctl")} "$@"\n'
        )
        (programs / "rabbitmqctl").chmod(0o755)
        subprocess.run(
            ["sh", script],
            env={
                **os.environ,
                **environment,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "HOME": str(self._folder),
                "RABBITMQ_NODENAME": f"resonate{self._port}@localhost",
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                "ERL_EPMD_PORT": str(self._epmd),
            },
            check=True,
        )

    def start(self) -> None:
        folder = self._folder
        config = folder / "rabbitmq.conf"
        shutil.copy(Path(__file__).parents[1] / "docker" / "cluster" / "rabbitmq.conf", config)
        if self.certificate is not None:
            with config.open("a") as more:
                more.write(
                    f"\nlisteners.ssl.1 = 127.0.0.1:{self._tls_port}\n"
                    f"ssl_options.certfile = {self.certificate.certificate}\n"
                    f"ssl_options.keyfile = {self.certificate.key}\n"
                )
        with (folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [self._program],
                env={
                    **os.environ,
                    "HOME": str(folder),
                    "RABBITMQ_NODENAME": f"resonate{self._port}@localhost",
                    "RABBITMQ_MNESIA_BASE": str(folder),
                    "RABBITMQ_LOG_BASE": str(folder),
                    "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
                    "RABBITMQ_CONFIG_FILE": str(config),
                    "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                    "RABBITMQ_NODE_PORT": str(self._port),
                    "RABBITMQ_DIST_PORT": str(self._between_nodes),
                    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
                    "ERL_EPMD_ADDRESS": "127.0.0.1",
                    "ERL_EPMD_PORT": str(self._epmd),
                },
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until = time.monotonic() + _UP_SECONDS
        while not _answers(self._port):
            assert self._process.poll() is None, (folder / "out").read_text()[-3000:]
            assert time.monotonic() < until, (folder / "out").read_text()[-3000:]
            time.sleep(0.2)

    def stop(self) -> None:
        """With what it has on its disk left there."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def start_again(self) -> None:
        if self._process is None:
            self.start()

    def end(self) -> None:
        self.stop()
        _end_epmd(self._epmd)
        shutil.rmtree(self._folder, ignore_errors=True)


def _answers(port: int) -> bool:
    """As AMQP does to what it does not understand: by its own header."""
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x09\x09\x09\x09")
            return connection.recv(4) == b"AMQP"
    except OSError:
        return False


def _end_epmd(port: int) -> None:
    """Erlang's register of nodes, which its server starts and leaves."""
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall(b"\x00\x01k")  # KILL_REQ (Erlang's documentation, "Distribution Protocol")
            connection.recv(2)
    except OSError:
        pass


def free_ports(many: int) -> list[int]:
    probes = [socket.socket() for _ in range(many)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
