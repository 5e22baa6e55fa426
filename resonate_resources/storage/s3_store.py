"""S3, through a local cache of bounded size."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from resonate_resources.storage.store import Entry, Holds, Stat

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ErrorTypeDef, GetObjectOutputTypeDef

_IN_USE_SECONDS = 3600.0
"""Files touched more recently may be open in a running stage and stay, even over the cache's bound."""
_BODY_TRIES = 3


class S3Error(OSError):
    """S3 did not do what it was asked, after all tries. One line."""


@contextmanager
def on_one_line(location: str) -> Iterator[None]:
    """Raises S3Error in place of what boto3 raises. location: what was asked for, or the endpoint."""
    from boto3.exceptions import RetriesExceededError
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except RetriesExceededError as error:  # of a download, and of no family with the others
        reason = " ".join(str(getattr(error, "last_exception", error)).split())
        raise S3Error(f"{location}: S3 can't be used ({reason})") from error
    except ClientError as error:
        told = error.response.get("Error", {})
        reason = f"{told.get('Code', 'with an error')} {told.get('Message', '')}".strip()
        raise S3Error(f"{location}: S3 answered {reason}") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: of an address that is none
        raise S3Error(f"{location}: S3 can't be used ({' '.join(str(error).split())})") from error


def body_of(get: Callable[[], GetObjectOutputTypeDef]) -> bytes:
    """The whole body that a GET gives, which is made again where it breaks off: botocore's own tries end with the
    first byte. That all bytes came is told by the length, that they are right by the checksum, where there is one.

    Raises what boto3 raises.
    """
    from botocore.exceptions import FlexibleChecksumError, HTTPClientError, IncompleteReadError

    for attempt in range(_BODY_TRIES):
        body = get()["Body"]
        try:
            return bytes(body.read())
        except (HTTPClientError, IncompleteReadError, FlexibleChecksumError):
            if attempt == _BODY_TRIES - 1:
                raise
    raise AssertionError


def _transfer() -> TransferConfig:
    """Transfers begin a part anew by themselves: five times, each as long as an answer may take, are too many."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(num_download_attempts=2)


class S3Store:
    """Objects under one prefix of a bucket. A PUT is atomic, so a reader never sees half an object."""

    def __init__(self, client: S3Client, bucket: str, prefix: str, cache: Path, cache_bytes: int) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._cache = cache / bucket
        self._cache_bytes = cache_bytes

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def read(self, key: str) -> bytes | None:
        with on_one_line(self.location(key)):
            try:
                return body_of(lambda: self._client.get_object(Bucket=self._bucket, Key=self._key(key)))
            except self._client.exceptions.NoSuchKey:
                return None

    def write(self, key: str, data: bytes) -> None:
        with on_one_line(self.location(key)):
            self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=data)

    def create(self, key: str, data: bytes) -> bool:
        from botocore.exceptions import ClientError

        with on_one_line(self.location(key)):
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=data, IfNoneMatch="*")
            except ClientError as error:
                # 409: somebody else's is under way at this moment.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                    return False
                raise
        return True

    def adopt(self, file: Path, key: str) -> None:
        """The service checks the bytes by their CRC-32, part by part; that all are there is looked up."""
        size = file.stat().st_size
        with on_one_line(self.location(key)):
            self._upload(file, key)
        there = self._head(key)
        if there is None or there.size != size:
            raise OSError(f"{self.location(key)}: {there.size if there else 0} of {size} bytes arrived")
        cached = self._cached(key, there.stamp)
        cached.parent.mkdir(parents=True, exist_ok=True)
        file.replace(cached)
        self._shrink()

    def _upload(self, file: Path, key: str) -> None:
        from boto3.exceptions import S3UploadFailedError

        try:
            self._client.upload_file(
                str(file),
                self._bucket,
                self._key(key),
                ExtraArgs={"ChecksumAlgorithm": "CRC32"},
                Config=_transfer(),
            )
        except S3UploadFailedError as error:  # neither a ClientError nor a BotoCoreError, though made of one
            raise (error.__context__ or error) from error

    def fetch(self, key: str, found: Stat | None = None) -> Path:
        version = found.stamp if found is not None else self._version(key)
        if version is None:
            raise FileNotFoundError(f"{self.location(key)}: no such object")
        cached = self._cached(key, version)
        try:
            os.utime(cached)  # from here on no process that makes room takes it for unused
        except FileNotFoundError:
            self._download(key, cached)
            self._shrink()
        return cached

    def _download(self, key: str, cached: Path) -> None:
        cached.parent.mkdir(parents=True, exist_ok=True)
        partial = cached.with_name(f".{os.getpid()}-{cached.name}"[:255])
        try:
            with on_one_line(self.location(key)):
                self._client.download_file(self._bucket, self._key(key), str(partial), Config=_transfer())
            partial.replace(cached)
        finally:
            partial.unlink(missing_ok=True)

    def size(self, key: str) -> int | None:
        head = self._head(key)
        return None if head is None else head.size

    def stat(self, key: str) -> Stat | None:
        return self._head(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._key(prefix).rstrip("/") + "/"
        )
        cut = len(self._prefix) + 1 if self._prefix else 0
        with on_one_line(self.location(prefix)):
            for page in pages:
                for item in page.get("Contents", ()):
                    written_at = item["LastModified"].timestamp()
                    yield Entry(item["Key"][cut:], item["Size"], item["ETag"].strip('"'), written_at)

    def delete(self, prefix: str) -> None:
        keys = [self._key(entry.key) for entry in self.entries(prefix)] or [self._key(prefix)]
        failed: list[ErrorTypeDef] = []
        for start in range(0, len(keys), 1000):  # the API's limit
            chunk = keys[start : start + 1000]
            with on_one_line(self.location(prefix)):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in chunk], "Quiet": True}
                )
            # The request succeeds, whatever became of each key (DeleteObjects, Amazon S3 API reference).
            failed += answer.get("Errors", [])
        if failed:
            first = failed[0]
            raise S3Error(
                f"s3://{self._bucket}/{first.get('Key')}: can't be deleted ({first.get('Code')}: "
                f"{first.get('Message')})" + (f", and {len(failed) - 1} more" if len(failed) > 1 else "")
            )
        shutil.rmtree(self._cache / self._key(prefix), ignore_errors=True)
        self._forget_copies(prefix)

    def holds(self, base: str, name: str) -> Holds:
        return "nothing" if self._head(f"{base}/{name}") is None else "file"

    def unlink(self, key: str) -> None:
        with on_one_line(self.location(key)):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))
        self._forget_copies(key)

    def rename(self, key: str, free: str) -> None:
        with on_one_line(self.location(key)):
            self._client.copy({"Bucket": self._bucket, "Key": self._key(key)}, self._bucket, self._key(free))
        self.unlink(key)

    def exclusive(self, prefix: str) -> AbstractContextManager[None]:  # noqa: ARG002 — there are no locks
        return nullcontext()

    def location(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._key(key)}"

    def workspace(self) -> Path:
        return self._cache.parent / ".work"

    def _head(self, key: str) -> Stat | None:
        from botocore.exceptions import ClientError

        with on_one_line(self.location(key)):
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # HEAD has no NoSuchKey body
                    return None
                raise
        return Stat(head["ContentLength"], head["ETag"].strip('"'))

    def _version(self, key: str) -> str | None:
        head = self._head(key)
        return None if head is None else head.stamp

    def _forget_copies(self, key: str) -> None:
        """Of an object that is gone, of whatever version. Who has one open reads on."""
        path = self._cache / self._key(key)
        for cached in path.parent.glob(f"*-{glob.escape(path.name)}"):
            cached.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._cache:
                break
            try:
                folder.rmdir()  # only an empty one goes: it may be called as a track is
            except FileNotFoundError:
                continue
            except OSError:
                break

    def _cached(self, key: str, version: str) -> Path:
        path = self._cache / self._key(key)
        return path.with_name(f"{version}-{path.name}")

    def _shrink(self) -> None:
        """Remove the files used longest ago until the cache is within its bound."""
        files = []
        for path in self._cache.rglob("*"):
            with suppress(FileNotFoundError):  # other processes rename and remove here too
                stat = path.stat()
                if S_ISREG(stat.st_mode):
                    files.append((stat, path))
        total = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda pair: pair[0].st_mtime):
            if total <= self._cache_bytes or time.time() - stat.st_mtime < _IN_USE_SECONDS:
                break
            path.unlink(missing_ok=True)
            total -= stat.st_size
