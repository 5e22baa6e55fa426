"""A machine whose network can be cut, for tests: processes in a network of their own, wired to servers here.

Two network namespaces of Linux with a pair of virtual interfaces between them, neither of which is the system's: in
one the machine's processes, in the other sockets that hand on what they say to the servers. Both go with this
process, whatever becomes of it. Cut, the wire drops what is sent: nothing is refused, and nobody is told.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from resonate_tests.programs import required

SERVERS: Final = "10.99.0.1"
"""Where servers of 127.0.0.1 are reached from the machine, at the same ports."""
_MACHINE = "10.99.0.2"
_TCP_REPAIR = 19
"""Of linux/tcp.h."""
_LISTEN = (
    "import socket, sys\n"
    "sockets = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[3:]]\n"
    "socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b'.'], [each.fileno() for each in sockets])\n"
)


class CutOff:
    """A machine that has its own name, too."""

    def __init__(self, name: str, ports: Sequence[int]) -> None:
        """ports: of servers at 127.0.0.1. Raises RuntimeError where the system has no namespaces, or not for us."""
        self._ip = str(required("iproute2"))
        self._spaces: list[subprocess.Popen[bytes]] = []
        self._sockets: list[socket.socket] = []
        self._connections: list[tuple[socket.socket, socket.socket]] = []
        try:
            self._machine, self._servers = self._space(name), self._space("servers")
            self._wire()
            self._sockets = self._listening(ports)
            for listening in self._sockets:
                threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
        except BaseException:
            self.end()
            raise

    def within(self) -> tuple[str, ...]:
        """What a command begins with that is to run on the machine."""
        return _within(self._machine)

    def reached(self, shared: Mapping[str, str]) -> dict[str, str]:
        """An environment as it is on the machine."""
        return {name: value.replace("127.0.0.1", SERVERS) for name, value in shared.items()}

    def cut(self) -> None:
        self._in(self._servers, "link", "set", "wire", "down")

    def mend(self) -> None:
        self._in(self._servers, "link", "set", "wire", "up")

    def forget(self) -> None:
        """Servers give its connections up, as they do with one that was silent for an hour. To be called while the
        wire is cut: the machine is not told."""
        for near, far in self._connections:
            for each in (near, far):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        time.sleep(0.5)  # until nobody reads of them
        for near, _ in self._connections:
            with suppress(OSError):
                near.setsockopt(
                    socket.IPPROTO_TCP, _TCP_REPAIR, 1
                )  # what is closed then is closed without a word
            near.close()
        self._connections.clear()

    def end(self) -> None:
        for each in self._sockets:
            each.shutdown(socket.SHUT_RDWR)  # nobody waits at it any longer
        for space in self._spaces:
            assert space.stdin is not None
            space.stdin.close()
            space.wait()

    def _space(self, name: str) -> subprocess.Popen[bytes]:
        """A process that does nothing and ends when this one does."""
        made = subprocess.Popen(
            ["unshare", "--net", "--uts", "sh", "-c", 'hostname "$0" && echo && exec cat >/dev/null', name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._spaces.append(made)
        assert made.stdout is not None
        assert made.stderr is not None
        if not made.stdout.readline():
            reason = made.stderr.read().decode().strip()
            raise RuntimeError(
                f"a network of its own can't be made for a process (as root, on Linux): {reason}"
            )
        return made

    def _wire(self) -> None:
        peer = ("peer", "name", "wire", "netns", str(self._machine.pid))
        self._in(self._servers, "link", "add", "wire", "type", "veth", *peer)
        for space, address in ((self._servers, SERVERS), (self._machine, _MACHINE)):
            self._in(space, "address", "add", f"{address}/30", "dev", "wire")
            self._in(space, "link", "set", "wire", "up")
            self._in(space, "link", "set", "lo", "up")
        told = self._in(self._servers, "-oneline", "link", "show", "wire").split()
        hardware = told[told.index("link/ether") + 1]
        # Known for ever: a neighbour that no longer answers would be told to who asks for it.
        self._in(self._machine, "neighbour", "replace", SERVERS, "lladdr", hardware, "dev", "wire")

    def _listening(self, ports: Sequence[int]) -> list[socket.socket]:
        """Sockets that were made beyond the wire: to which network one belongs is settled then."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            subprocess.run(
                [
                    *_within(self._servers),
                    *(sys.executable, "-c", _LISTEN, SERVERS, str(theirs.fileno()), *map(str, ports)),
                ],
                pass_fds=[theirs.fileno()],
                check=True,
            )
            _, descriptors, *_ = socket.recv_fds(ours, 1, len(ports))
        return [socket.socket(fileno=descriptor) for descriptor in descriptors]

    def _accept(self, listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        while True:
            try:
                near, _ = listening.accept()
            except OSError:  # the machine has ended
                listening.close()
                return
            try:
                far = socket.create_connection(("127.0.0.1", port), 5)
            except OSError:  # the server is away: so it is for the machine
                near.close()
                continue
            far.settimeout(None)
            self._connections.append((near, far))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_hand_on, args=(one, other), daemon=True).start()

    def _in(self, space: subprocess.Popen[bytes], *arguments: str) -> str:
        ran = subprocess.run(
            [*_within(space), self._ip, *arguments], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise RuntimeError(f"ip {' '.join(arguments)}: {ran.stderr.strip()}")
        return ran.stdout


def _within(space: subprocess.Popen[bytes]) -> tuple[str, ...]:
    return "nsenter", f"--net=/proc/{space.pid}/ns/net", f"--uts=/proc/{space.pid}/ns/uts", "--"


def _hand_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while said := one.recv(65536):
            other.sendall(said)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
