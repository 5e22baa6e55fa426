"""Models by settings: what can't be had is one line, and a server is asked as it should be."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor import model as models
from resonate_resources.mixing.conductor.agent import ModelAgent
from resonate_resources.mixing.conductor.conduct import conduct
from resonate_resources.mixing.conductor.model import ConductorError, make
from resonate_resources.mixing.wishes import Wishes
from resonate_resources.models.language_model import ChosenModel
from resonate_tests.resources.mixing.conductor.desks import STEMS, desk, holdings, kind

NAME = "openai:scripted"
LISTEN = ("analyze_nuance", {"target": "mix"})
DONE = ("final_answer", {"answer": "done"})
KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    ("name", "server", "variable", "told"),
    [
        ("gpt", "", "", "RESONATE_CONDUCTOR_MODEL"),
        ("openai:", "", "", "RESONATE_CONDUCTOR_MODEL"),
        ("eval:x", "", "", "RESONATE_CONDUCTOR_MODEL"),
        (NAME, "localhost:8000", "", "RESONATE_CONDUCTOR_SERVER"),
        (NAME, "file:///etc/passwd", "", "RESONATE_CONDUCTOR_SERVER"),
        (NAME, "", KEY, "RESONATE_CONDUCTOR_KEY_VARIABLE"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused_by_name_and_no_key_is_told(
    name: str, server: str, variable: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        ChosenModel(name, server, variable)
    assert KEY not in str(raised.value)


def test_a_key_that_is_not_set_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ConductorError, match="MY_KEY"):
        make(ChosenModel(NAME, "http://127.0.0.1:1", "MY_KEY"))


@pytest.mark.parametrize(("name", "what"), [("litellm:x/y", "litellm"), ("transformers:x", "transformers")])
def test_what_is_not_installed_is_one_line_that_says_how_to_have_it(
    name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("litellm", "transformers", "torch"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConductorError, match=rf"pip install 'smolagents\[{what}\]==1.26.0'"):
        make(ChosenModel(name))


def test_without_smolagents_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smolagents", None)
    with pytest.raises(ConductorError, match="pip install 'smolagents"):
        ModelAgent(ChosenModel(NAME)).conduct(desk(), "")


class Server(BaseHTTPRequestHandler):
    """Speaks OpenAI's language, as far as one answer goes; what it does stands in `behaviour`."""

    behaviour = "listen and end"
    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append({"body": body, "key": self.headers["Authorization"]})
        if self.behaviour == "hang":
            time.sleep(3)
        if self.behaviour == "refuse":
            return self._send(401, {"error": {"message": f"no such key: {KEY}"}})
        if self.behaviour == "nonsense":
            return self._send(200, {"hello": "world"})
        name, arguments = LISTEN if len(type(self).seen) == 1 else DONE
        call = {
            "id": "1",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return self._send(
            200,
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [choice],
                "usage": usage,
            },
        )

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(BrokenPipeError):  # who asked has gone
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def server(behaviour: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    handler = type("Behaving", (Server,), {"behaviour": behaviour, "seen": []})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", handler.seen  # type: ignore[attr-defined]
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def test_a_server_that_speaks_openais_language_is_asked_with_the_tools_at_temperature_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with server("listen and end") as (address, seen):
        made = conduct(
            Wishes(dict.fromkeys(STEMS, 0.0)),
            holdings(),
            kind(),
            -24.0,
            MixingBrief(conductor="model"),
            ModelAgent(ChosenModel("openai:some-model", address, "MY_KEY")),
        )
    assert (made.moves, made.by) == ((), "openai:some-model")
    body = seen[0]["body"]
    assert seen[0]["key"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"]) == ("some-model", 0)
    names = {tool["function"]["name"] for tool in body["tools"]}
    assert names == {"analyze_nuance", "adjust_mixing_parameter", "final_answer"}
    assert KEY not in json.dumps(body)


@pytest.mark.parametrize("behaviour", ["refuse", "hang", "nonsense"])
def test_a_server_that_refuses_hangs_or_talks_nonsense_fails_in_one_line_without_the_key(
    behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setattr(models, "_TIMEOUT_S", 0.2)
    with (
        server(behaviour) as (address, _),
        pytest.raises(ConductorError, match="openai:m did not answer") as raised,
    ):
        ModelAgent(ChosenModel("openai:m", address, "MY_KEY")).conduct(desk(), "")
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_server_at_all_fails_in_one_line() -> None:
    with pytest.raises(ConductorError, match="did not answer"):
        ModelAgent(ChosenModel("openai:m", "http://127.0.0.1:9/v1")).conduct(desk(), "")
