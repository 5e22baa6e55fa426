"""Who may ask, from where, and how much at once: in front of every route.

Only this machine by default. Host is checked against rebinding of names, Origin against other pages' forms; no
answer may be read, framed or sniffed elsewhere, and the page may load nothing but its own. With another address a
token is needed, of which the home keeps only a hash.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from anyio import CapacityLimiter, fail_after, get_cancelled_exc_class
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resonate_studio.api.addresses import PREFIX

COOKIE = "resonate_studio"
LOGIN = f"{PREFIX}/login"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_BODY_BYTES = 2**20
"""Of all but uploads, which see to it themselves."""
_METRICS = "/metrics"
_SAFE = ("GET", "HEAD", "OPTIONS")
_COSTLY = {
    "heard": (re.compile(r"/tracks/[^/]+/(audio|peaks|spectrogram|spectrum|notes)(/|$)"), 8),
    "seen": (re.compile(r"/tracks/[^/]+/cover$"), 6),
    "taken": (re.compile(r"/tracks/[^/]+/files/"), 6),
}
"""Kind of request → what it is for, and how many of one client are answered at once: together less than the 40
threads that there are. More wait; browsers ask six things of a host at a time. Archives see to it themselves."""
_WAITING = 100
_CLIENTS_KEPT = 1000
_TAKES_SECONDS = 60.0
"""Within which a client takes what is sent before more is: one that takes nothing is dropped, and its places with
it. A browser that was made to pause goes on by range."""
_log = logging.getLogger(__name__)


class _StalledError(Exception):
    """Nobody takes what is sent. No OSError, which would be answered as one of storage."""


_SHORTEST = 32
"""Characters of a token that is given: 128 bits in hexadecimal."""
_SENT = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What can be sent as a bearer token (RFC 6750, 2.1)."""


class Token:
    """The secret of a home: shown once, kept as its SHA-256; or one that is given, which several studios share."""

    def __init__(self, file: Path, given: str = "") -> None:
        """Raises ValueError for a given one that can be guessed, or that nobody can send."""
        if given and (len(given) < _SHORTEST or not _SENT.fullmatch(given)):
            raise ValueError(
                f"a token has {_SHORTEST} characters or more: letters, digits and -._~+/, no space or line end"
            )
        self._file, self._given = file, given

    def known(self) -> bool:
        return self._hash() is not None

    def make(self) -> str:
        """A new one, in place of any there was. Raises ValueError where one is given."""
        if self._given:
            raise ValueError("a token that is given is changed where it is given")
        token = secrets.token_urlsafe(32)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps({"sha256": _sha256(token)}) + "\n", "ascii")
        partial.chmod(0o600)
        partial.replace(self._file)
        return token

    def fits(self, given: str) -> bool:
        known = self._hash()
        return known is not None and hmac.compare_digest(known, _sha256(given))

    def _hash(self) -> str | None:
        if self._given:
            return _sha256(self._given)
        try:
            return str(json.loads(self._file.read_text("ascii"))["sha256"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _is_kept(path: str) -> bool:
    """Whether a token is asked for. The page's own files and probes' addresses tell nothing of a library."""
    return (path.startswith(PREFIX) and path != LOGIN) or path == _METRICS


class Access:
    """The gate, as ASGI has it."""

    def __init__(self, app: ASGIApp, host: str | None = None, token: Token | None = None) -> None:
        """host: the address that is listened on, None for loopback alone; token: what is asked for then."""
        self._app, self._token = app, token
        self._hosts = {*LOOPBACK, *([_bracketed(host).lower()] if host else [])}
        self._any_address = host in ("0.0.0.0", "::")
        self._own_names = (
            {socket.gethostname().lower(), socket.getfqdn().lower(), *_name_outside()}
            if self._any_address
            else set()
        )
        self._at_work: dict[tuple[str, str], CapacityLimiter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith(PREFIX):
                    headers.setdefault("Cache-Control", "no-store")
            try:
                with fail_after(_TAKES_SECONDS):
                    await send(message)
            except TimeoutError as error:
                raise _StalledError from error

        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, with_headers)
            return
        try:
            await self._let_in(scope, receive, with_headers)
        except _StalledError:
            _log.warning("a client that took nothing for %g s was dropped", _TAKES_SECONDS)
        except get_cancelled_exc_class():
            # The server ends, and has waited for this answer for as long as it waits: that is no failure.
            _log.info("an answer was broken off")

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        limiter = self._limiter(scope)
        if limiter is None:
            await self._app(scope, receive, send)
            return
        if limiter.statistics().tasks_waiting >= _WAITING:
            answer = _problem(
                429, "too much is asked for at once; try again in a moment", {"Retry-After": "1"}
            )
            await answer(scope, receive, send)
            return
        async with limiter:
            await self._app(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        method, path = scope["method"], scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) > 1:  # which of them counts is another thing to each who reads it (RFC 9112, 3.2)
            return _problem(400, "more than one Host in a request")
        asked = hosts[0] if hosts else ""
        if not self._is_ours(asked):
            return _problem(403, "this address is not known here; ask for it by the one that was printed")
        if method not in _SAFE:
            if not self._is_own_page(headers, asked):
                return _problem(403, "from another page: refused")
            if path != f"{PREFIX}/jobs" and not _is_small(headers):
                return _problem(413, "is larger than anything that is asked for here")
        if self._token is not None and _is_kept(path) and not self._may(headers):
            return _problem(401, "a token is needed: the one that was printed at the first start")
        return None

    def _is_ours(self, host: str) -> bool:
        name = re.sub(r":\d{1,5}$", "", host.lower())
        if name in self._hosts or name in self._own_names:
            return True
        return self._any_address and _is_address(name)

    def _is_own_page(self, headers: Headers, asked: str) -> bool:
        """Whether no other page asks. Behind a server that speaks https, which there is for other addresses alone,
        the page is that one's."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        schemes = ("http",) if self._token is None else ("http", "https")
        own = [f"{scheme}://{asked.lower()}" for scheme in schemes]
        return headers.get("origin", own[0]).lower() in own

    def _may(self, headers: Headers) -> bool:
        assert self._token is not None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._token.fits(given.strip())
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._token.fits(cookie.value)

    def _limiter(self, scope: Scope) -> CapacityLimiter | None:
        client = scope["client"][0] if scope.get("client") else ""
        for kind, (paths, at_once) in _COSTLY.items():
            if paths.search(scope["path"]):
                if len(self._at_work) > _CLIENTS_KEPT:
                    idle = [key for key, each in self._at_work.items() if not each.borrowed_tokens]
                    for key in idle:
                        del self._at_work[key]
                return self._at_work.setdefault((client, kind), CapacityLimiter(at_once))
        return None


def _name_outside() -> Iterable[str]:
    """The name in RESONATE_PAGE, by which people know a page that a server which speaks https stands before."""
    name = urlsplit(os.environ.get("RESONATE_PAGE", "")).hostname
    return [name] if name else []


def hosts_told(host: str, port: int) -> Iterable[str]:
    """Addresses under which it is to be had."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else _bracketed(host)
    yield f"http://{name}:{port}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_small(headers: Headers) -> bool:
    """By what it states; one of unstated length is none of ours."""
    stated = headers.get("content-length")
    if stated is None:
        return "transfer-encoding" not in headers
    return stated.isdecimal() and int(stated) <= _BODY_BYTES


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
