"""What the API takes and gives, as OpenAPI has it; the page's types are made from this.

Times are in seconds, levels in dB, loudness in LUFS; null is what is not known. Files and audio are named by track,
version and stage: no path of the server is ever given or taken.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool

from resonate_studio.api.composition_models import Composed
from resonate_studio.api.restoration_steps import RestorationStep
from resonate_studio.api.shape import Shape

TrackKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
VersionId = Annotated[str, Field(pattern=r"^[a-z0-9_]+(:[a-z0-9._-]+)?(@[0-9a-f]{16})?$")]
"""`original`, `restored_track`, `mix`, `master`, `master:apple`, `stems:vocals`, `restored_stems:vocals`,
`regenerated_stems:bass`; of an earlier result with its key: `master@0123456789abcdef`."""

LATEST_S = 10_000_000.0
"""No recording is as long."""

JobState = Literal["queued", "processing", "failed", "completed", "cancelled"]
TrackState = Literal[
    "failed", "not accepted", "stopped", "unfinished", "behind", "running", "queued", "waiting", "done"
]


class Problem(Shape):
    """Of every answer that is no success. detail: one line for a person."""

    detail: str


class JobAccepted(Shape):
    """track: the key under which the file is known."""

    job_id: UUID
    status_url: str
    track: TrackKey


class Result(Shape):
    """A file that a stage made."""

    stage: str
    name: str
    url: str
    size: int
    media_type: str


class Job(Shape):
    """progress: 0 to 1, of all stages; stage: that which is at work; fetching: what comes from a model's hub, and
    how much has; place: in the queue, from 1 on. reason: why it failed, one line. results: once it is completed."""

    job_id: UUID
    track: TrackKey | None
    title: str
    status: JobState
    progress: Annotated[float, Field(ge=0, le=1)]
    stage: str | None
    fetching: str | None
    place: int | None
    expected_seconds: float | None
    reason: str | None
    asked_at: str
    ended_at: str | None
    track_url: str | None
    results: list[Result]


class Jobs(Shape):
    jobs: list[Job]


class TrackSummary(Shape):
    """state: as `resonate status` has it. accepted: the verdict, null as long as there is none; reason: why not, or
    why it failed. score: of the master against the original, 0 to 100. generated: manifests say that what is
    heard of the whole track was not recorded but made by a machine. composed: the label of a track that begins with
    words, null of one that begins with a file. cover_url: null where the file has none."""

    track: TrackKey
    title: str
    artist: str | None
    duration_s: float | None
    tempo_bpm: float | None
    key: str | None
    loudness_lufs: float | None
    state: TrackState
    accepted: bool | None
    reason: str | None
    score: float | None
    stage: str | None
    progress: float | None
    place: int | None
    expected_seconds: float | None
    job_id: UUID | None
    added_at: str | None
    generated: bool
    composed: str | None
    cover_url: str | None


class TrackList(Shape):
    """total: of all that match; states: how many of all tracks are in each state. left_out: engines that the latest
    track would rather have been separated with, and that can't run here."""

    tracks: list[TrackSummary]
    total: int
    states: dict[str, int]
    left_out: list[str]


class Section(Shape):
    """name: what it may be called, a hint. Confidences: 0 to 1; confidence: null until the analysis is made."""

    start_s: float
    end_s: float
    label: str
    name: str | None
    name_confidence: float
    confidence: float | None


class Chord(Shape):
    start_s: float
    end_s: float
    label: str


class Music(Shape):
    """What the profile knows. Empty lists are of what it does not know (yet). Confidences: 0 to 1; of the key, null
    where the brief says it. time_signature: of most of the track, `6/8`."""

    tempo_bpm: float | None
    tempo_confidence: float
    time_signature: str | None
    metre_confidence: float
    key: str | None
    key_confidence: float | None
    camelot: str | None
    sound: SoundQuality
    beats_s: list[float]
    downbeats_s: list[float]
    sections: list[Section]
    chords: list[Chord]


class Version(Shape):
    """Something that can be heard. offset_s: how much later than the original it begins, to the sample, 0 until
    measured. loudness_lufs: null of silence, and until measured. loudness_range_lu: of masters. bandwidth_hz: of
    the original and of it restored. gain_db: what it was moved by, of stems, in the mix. current: whether it is
    what its stage gives now. generated: nobody played it. url: the whole file, for taking away."""

    id: VersionId
    label: str
    group: Literal["original", "mix", "master", "stems", "restored", "regenerated"]
    stem: str | None
    duration_s: float
    sample_rate: int
    channels: int
    loudness_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    bandwidth_hz: float | None
    offset_s: float
    gain_db: float | None
    generated: bool
    current: bool
    made_at: str
    settings: dict[str, Any]
    url: str


class StageReport(Shape):
    """What a stage did. changed: whether it changed the sound at all, null where it makes none. warnings stand
    before notes on the page. steps: of a restoration, by recording (`track`, or a stem). dagster_url: lineage."""

    stage: str
    engine: str
    seconds: float
    made_at: str
    changed: bool | None
    warnings: list[str]
    notes: list[str]
    measures: dict[str, float | int | str | bool]
    steps: dict[str, list[RestorationStep]] | None
    picture_url: str | None
    results: list[Result]
    dagster_url: str | None


class Dimension(Shape):
    """One of the sixteen of quality control, by the name that people have for it. score: 0 to 100."""

    name: str
    score: float
    detail: str


class SoundQuality(Shape):
    """How the original sounds by itself, 0 to 100, and the parts that are known. total: null of silence."""

    total: float | None
    parts: list[Dimension]


class BeforeAfter(Shape):
    """One measure of the original and of the master. better: whether that is an improvement, null where it is taste
    or nothing moved."""

    name: str
    unit: str
    before: float | None
    after: float | None
    better: bool | None


class Quality(Shape):
    total: float | None
    accepted: bool | None
    reasons: list[str]
    dimensions: list[Dimension]
    measures: list[BeforeAfter]


class Track(Shape):
    """measuring: loudness or offsets of some versions are measured now; ask again in a few seconds. composed: null
    of a track that begins with a file."""

    summary: TrackSummary
    source: str
    composed: Composed | None
    music: Music | None
    versions: list[Version]
    stages: list[StageReport]
    quality: Quality
    warnings: list[str]
    missing_stages: list[str]
    measuring: bool
    dagster_url: str | None


class BriefValue(Shape):
    """name: `section.name` or `section.table.entry`. origin: where it is from, for a person."""

    name: str
    value: Any
    origin: str
    built_in: bool


class Brief(Shape):
    values: list[BriefValue]


class BriefChange(Shape):
    """set: dotted name → value, null to undo what a file says; unset: names that fall back. reference_track:
    another track of the library, whose recording `mixing.reference` and `mastering.reference` are set to. process:
    whether what depends on it is made anew at once."""

    set: dict[str, Any] = Field({})
    unset: list[str] = Field([])
    reference_track: TrackKey | None = None
    process: StrictBool = True


class BriefChanged(Shape):
    """stages: those that will be made anew, the others are found. job: null where nothing is to be made."""

    brief: Brief
    stages: list[str]
    job: JobAccepted | None


class EarlierBrief(Shape):
    """A brief that results were made with before. differs: dotted name → (then, now)."""

    key: str
    made_at: str
    current: bool
    differs: dict[str, tuple[Any, Any]]


class EarlierBriefs(Shape):
    briefs: list[EarlierBrief]


class Note(Shape):
    """velocity: 1 to 127."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


class Notes(Shape):
    stem: str
    tempo_bpm: float | None
    notes: list[Note]


class Spectrum(Shape):
    """Levels of two versions by octave at equal loudness, and their difference (b less a), in dB."""

    octaves_hz: list[float]
    a_db: list[float | None]
    b_db: list[float | None]
    difference_db: list[float | None]
    loudness_difference_lu: float | None


class AbxTrial(Shape):
    """x: what was hidden."""

    x: Literal["a", "b"]
    answer: Literal["a", "b"]


class AbxResult(Shape):
    """Sent by the page when ten trials and more are done. start_s, end_s: the region that was heard."""

    a: VersionId
    b: VersionId
    listener: Annotated[str, Field(max_length=100)] = ""
    start_s: Annotated[float, Field(ge=0, le=LATEST_S, strict=True, allow_inf_nan=False)] = 0.0
    end_s: Annotated[float, Field(ge=0, le=LATEST_S, strict=True, allow_inf_nan=False)] | None = None
    loudness_matched: StrictBool = True
    trials: Annotated[list[AbxTrial], Field(min_length=10, max_length=1000)]


class AbxRecord(AbxResult):
    """p: of as many right answers or more by guessing (binomial, one-sided)."""

    id: UUID
    at: str
    right: int
    p: float


class AbxRecords(Shape):
    tests: list[AbxRecord]


class Rejected(Shape):
    """A file that can't be used. name: of the file; reason: one line, with what to do."""

    name: str
    reason: str
    at: str


class RejectedFiles(Shape):
    files: list[Rejected]


class CacheRow(Shape):
    stage: str
    engine: str
    current_bytes: int
    cached_bytes: int


class Cache(Shape):
    """light_bytes: of light copies, waveforms and spectrograms, which are made again when they are wanted.
    removable_bytes: what clearing it of results of the age that was asked for would free."""

    rows: list[CacheRow]
    current_bytes: int
    cached_bytes: int
    light_bytes: int
    removable_bytes: int


class CacheClear(Shape):
    older_than_days: Annotated[float, Field(ge=0, le=3650, strict=True, allow_inf_nan=False)] = 7.0


class CacheCleared(Shape):
    """passed_over: tracks that are worked at."""

    results: int
    removed_bytes: int
    passed_over: list[str]


class Health(Shape):
    """runs: whether somebody is there who carries out what is asked for. dagster_url: of its web UI."""

    version: str
    runs: bool
    dagster_url: str | None
    inbox: str | None
    read_only: bool


class Login(Shape):
    """The token that was printed where another address than this machine's is listened on."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
