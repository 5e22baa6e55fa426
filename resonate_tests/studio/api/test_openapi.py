"""The whole API asked all that its description allows, and more: no 5xx, nothing that it does not tell of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from resonate_studio.api.app import create_app
from resonate_studio.api.openapi import described
from resonate_studio.api.opened import Opened
from resonate_tests.studio.api.conftest import ADDRESS

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDLESS = "/api/v1/events"
"""Goes on until the listener leaves; tested in test_jobs.py."""
_SCHEMA = from_dict(create_app().openapi())


few = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def app(opened: Opened) -> FastAPI:
    return create_app(opened)


@pytest.fixture(scope="module")
def taken_back(app: FastAPI, opened: Opened, track: str) -> Iterator[None]:
    """What is asked for of the track that is done."""
    yield
    opened.storage.store.delete(f"briefs/{track}.json")
    client = TestClient(app, base_url=ADDRESS)
    for job in client.get("/api/v1/jobs", params={"active": True}).json()["jobs"]:
        client.post(f"/api/v1/jobs/{job['job_id']}/cancel")


def test_the_description_is_that_of_the_application(client: TestClient) -> None:
    assert client.get("/api/v1/openapi.json").json() == json.loads(described())


@_SCHEMA.exclude(path=[ENDLESS]).parametrize()
@few
def test_whatever_is_asked_the_answer_is_one_that_is_described(case: schemathesis.Case, app: FastAPI) -> None:
    ask(case, app)


@_SCHEMA.include(path_regex=r"\{track\}").exclude(method="DELETE").parametrize()
@pytest.mark.usefixtures("taken_back")
@few
def test_whatever_is_asked_of_a_track_that_there_is_the_answer_is_one_that_is_described(
    case: schemathesis.Case, app: FastAPI, track: str
) -> None:
    wrong = case.meta.components.get(ParameterLocation.PATH) if case.meta else None
    mended = wrong is not None and wrong.mode.is_negative
    case.path_parameters["track"] = track
    # What was to be refused for its path alone is right now: a query may hold more than the API reads.
    ask(case, app, [check for check in CHECKS if not (mended and check is negative_data_rejection)])


def ask(case: schemathesis.Case, app: FastAPI, checks: Sequence[CheckFunction] = CHECKS) -> None:
    answer = case.call(base_url=ADDRESS, headers={"Host": "127.0.0.1"}, app=app)
    assert answer.status_code < 500, answer.text
    case.validate_response(answer, checks=list(checks))
