"""docker/policies/s3-*.json as S3 holds who asks to them: what is not allowed is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

POLICIES = Path(__file__).parents[1] / "docker" / "policies"

ACTIONS = {
    **dict.fromkeys(("GetObject", "HeadObject"), "s3:GetObject"),
    **dict.fromkeys(("PutObject", "CreateMultipartUpload", "UploadPart"), "s3:PutObject"),
    **dict.fromkeys(("CompleteMultipartUpload", "CopyObject", "UploadPartCopy"), "s3:PutObject"),
    **dict.fromkeys(("DeleteObject", "DeleteObjects"), "s3:DeleteObject"),
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListObjectsV2": "s3:ListBucket",
}
"""Operation → what it takes (Amazon's Service Authorization Reference, "Actions defined by Amazon S3")."""


def statements(role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((POLICIES / f"s3-{role}.json").read_text())["Statement"]
    return found


def allows(role: str, action: str, resource: str) -> bool:
    for each in statements(role):
        patterns = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        if action in each["Action"] and any(fnmatchcase(resource, pattern) for pattern in patterns):
            return True
    return False


@contextmanager
def held_to(role: str) -> Iterator[None]:
    """Every client of boto3 is. A bucket that has the library in library/, and beside it the inbox, is taken for
    the two that the policies name."""
    refused = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def held(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        keys = [each["Key"] for each in arguments.get("Delete", {}).get("Objects", ())]
        for key in keys or [arguments.get("Key") or arguments.get("Prefix") or ""]:
            bucket = "arn:aws:s3:::resonate-" + ("library" if key.startswith("library/") else "inbox")
            action = ACTIONS[operation]
            resource = bucket if action == "s3:ListBucket" else f"{bucket}/{key}"
            if not allows(role, action, resource):
                refused.append(f"{operation} of {key}")
                raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)
        return call(client, operation, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", held)
        yield
    assert not refused, f"{role}: {refused}"
