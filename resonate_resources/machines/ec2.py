"""A machine at Amazon EC2, or what speaks its language: an instance named by its id, or by a tag that it alone has.

States are those of EC2's documentation ("Amazon EC2 instance state changes"). An instance that was terminated is
listed for an hour more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from resonate_resources.machines.machine import MachineError, State

_STATES: dict[str, State] = {
    "pending": "starting",
    "running": "running",
    "stopping": "stopping",
    "stopped": "stopped",
    "shutting-down": "gone",
    "terminated": "gone",
}
_UNKNOWN = "InvalidInstanceID.NotFound"
_TRIES = 3
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 5
"""All tries together are done within a sensor's minute."""


class EC2Machine:
    """Credentials are found as boto3 finds them; region and endpoint, too, where they are empty."""

    def __init__(self, which: str, price: float, region: str = "", endpoint: str = "") -> None:
        """which: an instance's id, or TAG=VALUE. price: of an hour."""
        self.name, self.price = f"ec2:{which}", price
        self._tag, _, self._value = which.partition("=")
        self._region, self._endpoint = region or None, endpoint or None

    def state(self) -> State:
        found = self._find()
        return "gone" if found is None else _STATES[found["State"]["Name"]]

    def start(self) -> None:
        with self._on_one_line():
            self._client.start_instances(InstanceIds=[self._id()])

    def stop(self) -> None:
        with self._on_one_line():
            self._client.stop_instances(InstanceIds=[self._id()])

    def _id(self) -> str:
        found = self._find()
        if found is None:
            raise MachineError(f"{self.name}: there is no such instance any more")
        return str(found["InstanceId"])

    def _find(self) -> dict[str, Any] | None:
        """The instance as EC2 describes it; None where there is none. Raises MachineError."""
        asked: dict[str, Any] = (
            {"Filters": [{"Name": f"tag:{self._tag}", "Values": [self._value]}]}
            if self._value
            else {"InstanceIds": [self._tag]}
        )
        with self._on_one_line():
            pages = self._client.get_paginator("describe_instances").paginate(**asked)
            try:
                found = [one for page in pages for each in page["Reservations"] for one in each["Instances"]]
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] == _UNKNOWN:
                    return None
                raise
        there = [one for one in found if _STATES[one["State"]["Name"]] != "gone"]
        if len(there) > 1:
            raise MachineError(
                f"{self.name}: {len(there)} instances carry this tag, and one is wanted; name it by its id"
            )
        return there[0] if there else None

    @cached_property
    def _client(self) -> Any:
        import boto3  # takes a third of the time in which the code location loads
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
        )
        session = boto3.session.Session()
        return session.client("ec2", region_name=self._region, endpoint_url=self._endpoint, config=config)

    @contextmanager
    def _on_one_line(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {})
            reason = " ".join(f"{told.get('Code', 'with an error')} {told.get('Message', '')}".split())
            raise MachineError(f"{self.name}: EC2 answered {reason}") from error
        except (BotoCoreError, ValueError) as error:  # ValueError: of an address that is none
            raise MachineError(f"{self.name}: EC2 can't be used ({' '.join(str(error).split())})") from error
