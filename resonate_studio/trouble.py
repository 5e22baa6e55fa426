"""What is wrong with storage or a database, in one line: which one, why, and what to do."""

from __future__ import annotations

import os
import re
import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from resonate_resources.storage.database import DatabaseError, reason_of
from resonate_resources.storage.s3_store import S3Error


def trouble(error: OSError | SQLAlchemyError | sqlite3.Error, where: str = "") -> str:
    """One line on a failure that is no fault of a file: a full disk, an endpoint that is down, a wrong password.

    where: the place that was written to, for errors that name none.
    """
    if isinstance(error, S3Error):
        return f"{error}; see to the connection and the credentials, and try again"
    if isinstance(error, DatabaseError):
        return str(error)
    if isinstance(error, OSError):
        place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else where
        told = (error.strerror or str(error)).lower()
        if not place:
            return " ".join(str(error).split())
        return f"{place}: can't be used ({told}); see to room and permission there, and try again"
    place = where or os.environ.get("DAGSTER_HOME", "the database")
    reason = reason_of(error).lower()
    return f"{place}: can't be written to ({reason}); see to room and permission there, and try again"


def trouble_of_instance(error: Exception) -> str:
    """Why Dagster's instance can't be had as its `dagster.yaml` tells, in one line."""
    if unset := re.search(r'environment variable "(\w+)" which is not set', str(error)):
        return f"{unset[1]} is not set"
    cause = error.__cause__ if isinstance(error.__cause__, SQLAlchemyError) else error
    return reason_of(cause)
