"""Where briefs come from: files of the home, of the inbox and beside a track, and what was set since."""

import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import dagster as dg

from resonate_resources.brief.layers import BriefError, Layer, Resolved, nested, parse_toml, resolve
from resonate_resources.separation.engines import why_unknown
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source

FILE = "brief.toml"
SET = "set for this track"

# A track's own name may be as long as names can be: then none with more in it is a file's.
_NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_S3_KEY_BYTES = 1024


class BriefResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Resolves briefs. Built in < `brief.toml` of the home < `brief.toml` of the inbox's folders, the inner ones
    later < `<file>.brief.toml` beside the track < what was set since.

    folder, bucket: the watched inboxes, in whose folders briefs are looked for.
    """

    storage: dg.ResourceDependency[StorageResource]
    folder: str = ""
    bucket: str = ""

    def resolve(self, track: str, source: Source | None) -> Resolved:
        """The brief of a track. Raises BriefError, and OSError where a place can't be read."""
        settings = self.settings(track)
        given = self.given(source)  # what is wrong there is no fault of what was set
        if not settings:
            return given
        layers = self._given(source)
        try:
            return resolve([*layers, Layer(SET, nested(settings))])
        except BriefError as error:
            raise BriefError(f"{error}; take it back: resonate brief unset {track} SECTION.NAME") from error

    def given(self, source: Source | None) -> Resolved:
        """The brief as files have it, whatever was set since. Raises BriefError, and OSError."""
        return resolve(self._given(source))

    def settings(self, track: str) -> dict[str, Any]:
        """`section.name` → value of what was set for a track. Raises BriefError where the file is damaged."""
        data = self.storage.store.read(_key(track))
        try:
            return dict(json.loads(data)) if data else {}
        except (ValueError, TypeError, RecursionError) as error:
            place = self.storage.store.location(_key(track))
            raise BriefError(f"{place}: what was set for the track is damaged; mend or delete it") from error

    def change(
        self, track: str, source: Source | None, settings: Mapping[str, Any], unset: Sequence[str] = ()
    ) -> Resolved:
        """Set and unset values of a track, for good: all, or none where one is wrong. Raises BriefError."""
        after, resolved = self._changed(track, source, settings, unset)
        self.storage.store.write(_key(track), json.dumps(after, indent=1, ensure_ascii=False).encode())
        return resolved

    def check(
        self, track: str, source: Source | None, settings: Mapping[str, Any], unset: Sequence[str] = ()
    ) -> Resolved:
        """The brief that a change would give. Raises BriefError where it would not do."""
        return self._changed(track, source, settings, unset)[1]

    def _changed(
        self, track: str, source: Source | None, settings: Mapping[str, Any], unset: Sequence[str]
    ) -> tuple[dict[str, Any], Resolved]:
        before = self.settings(track)
        engine = settings.get("separation.engine")
        if isinstance(engine, str) and (reason := why_unknown(engine)) is not None:
            raise BriefError(f"separation.engine: {engine[:80]} {reason}")
        for name in unset:
            gone = [known for known in before if _is_part_of(known, name)]
            if not gone:
                raise BriefError(f"{name}: was not set for {track}")
            for known in gone:
                del before[known]
        after = dict(before)
        for (
            name,
            value,
        ) in settings.items():  # a table that is set takes the place of what was set of it before
            after = {known: kept for known, kept in after.items() if not _is_part_of(known, name)}
            table = value if isinstance(value, Mapping) else None
            after |= {name: value} if table is None else {f"{name}.{entry}": v for entry, v in table.items()}
        layers = self._given(source)
        try:
            return after, resolve([*layers, Layer(SET, nested(after))] if after else layers)
        except BriefError:
            if settings:
                raise
            return after, resolve(
                layers
            )  # there is more to take back: what is taken back is gone all the same

    def _given(self, source: Source | None) -> list[Layer]:
        return [*self._of_home(), *(self._of_source(source) if source else ())]

    def _of_home(self) -> Iterator[Layer]:
        try:
            data = self.storage.store.read(FILE)
        except IsADirectoryError as error:
            raise BriefError(
                f"{self.storage.store.location(FILE)}: can't be read (is a directory)"
            ) from error
        if data is not None:
            place = self.storage.store.location(FILE)
            yield parse_toml(_text(data, place), place)

    def _of_source(self, source: Source) -> Iterator[Layer]:
        if source.uri.startswith("s3://"):
            yield from self._of_object(source.uri)
            return
        file = Path(source.uri)
        for place in (*_folders_of(file, self.folder), file.with_name(f"{file.stem}.brief.toml")):
            try:
                data = place.read_bytes()
            except OSError as error:
                if error.errno in _NO_SUCH_FILE:
                    continue
                reason = (error.strerror or str(error)).lower()
                raise BriefError(f"{place}: can't be read ({reason})") from error
            yield parse_toml(_text(data, str(place)), str(place))

    def _of_object(self, uri: str) -> Iterator[Layer]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        path = PurePosixPath(key)
        places = [path.with_name(f"{path.stem}.brief.toml")]
        if self.bucket and uri.startswith(self.bucket.rstrip("/") + "/"):
            root = PurePosixPath(self.bucket.removeprefix("s3://").partition("/")[2].strip("/") or ".")
            inner = [folder for folder in path.parents if folder == root or root in folder.parents]
            places = [*(folder / FILE for folder in reversed(inner)), *places]
        for place in places:
            if len(str(place).encode()) > _S3_KEY_BYTES:
                continue
            data = self.storage.read_object(f"s3://{bucket}/{place}")
            if data is not None:
                yield parse_toml(_text(data, str(place)), f"s3://{bucket}/{place}")


def _folders_of(file: Path, inbox: str) -> list[Path]:
    """`brief.toml` of the inbox and of each folder below it on the way to a file, the outer ones first."""
    if not inbox:
        return []
    root = Path(inbox).expanduser().absolute()
    return [folder / FILE for folder in reversed(file.parents) if folder == root or root in folder.parents]


def _text(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")  # Windows' editors begin with a mark
    except UnicodeDecodeError as error:
        raise BriefError(f"{origin}: is not UTF-8") from error


def _is_part_of(name: str, whole: str) -> bool:
    """Whether a dotted name is another, or an entry of that table."""
    return name == whole or name.startswith(f"{whole}.")


def _key(track: str) -> str:
    return f"briefs/{track}.json"
