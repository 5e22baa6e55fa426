"""One track at LALAL.AI: uploaded, parted, fetched, and fitted to the frame.

It goes up as 24-bit FLAC, lowered where it is over full scale (what comes back is fixed point) and raised again in
the stems. Nothing but the audio is sent, not even its name, and it is deleted there once the stems are here.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from resonate_resources.models.hosted.service import RefusedError, ServiceError
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import encode_flac
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    Stems,
    write_recording,
)
from resonate_resources.separation.lalal.client import NAME, LalalClient, TaskFailedError
from resonate_resources.separation.lalal.ledger import Job, Ledger
from resonate_resources.signal.resampling import at_rate

PRESETS: Mapping[str, str | bool] = {
    "encoder_format": "flac",
    "extraction_level": "deep_extraction",
    "dereverb_enabled": False,
}
"""What every task is asked for, in the service's words. No splitter is named: it takes its latest."""
_LENGTH_SLACK_SECONDS = 0.03  # a frame of MP3 (1152 samples), by which codecs are known to lengthen

_log = logging.getLogger(__name__)


def hash_of_work(track: Recording, paid: Sequence[str]) -> str:
    """Equal for what must not be paid twice: the same audio, stems and presets."""
    return hashlib.sha256(json.dumps([track.sha256, list(paid), dict(PRESETS)]).encode()).hexdigest()


class PaidJob:
    """A reserved job, from its upload or from where an earlier process left it. Used once."""

    def __init__(
        self,
        client: LalalClient,
        ledger: Ledger,
        job: Job,
        track: Recording,
        labels: Mapping[str, str],
        scratch: Path,
    ) -> None:
        """labels: stem name → the service's label, the last of which is the rest, unpaid. scratch: a directory."""
        self._client = client
        self._ledger = ledger
        self._job = job
        self._track = track
        self._labels = labels
        self._paid = list(labels.values())[:-1]
        self._scratch = scratch
        self._gain = max(1.0, _peak(track))
        self._source = job.source

    def run(self, into: Path, progress: Progress) -> Stems:
        """Write the stems into the directory `into`. Raises AudioError."""
        task = self._job.task or self._begin(_part(progress, 0.0, 0.3))
        try:
            addresses = self._client.wait(task, _part(progress, 0.3, 0.8))
        except TaskFailedError:
            self._ledger.close(self._job)
            raise
        # What fails from here on can be run again within a day without being paid again.
        stems: Stems = {}
        for name, label in self._labels.items():
            if label not in addresses:
                raise ServiceError(NAME, f"the result has no {label} track")
            stems[name] = self._fetch(addresses[label], into / f"{name}.wav")
            progress(0.8 + 0.2 * len(stems) / len(self._labels))
        self._ledger.close(self._job)
        self._delete_source()
        return stems

    def _begin(self, progress: Progress) -> str:
        """Upload the track and have it parted; gives the task.

        The minutes are given back on every error, except where the service may have accepted the job unseen.
        """
        try:
            source = self._source = self._source or self._upload(progress)
            self._ledger.sending(self._job)
        except BaseException:
            self._give_back()
            raise
        try:
            task = self._client.split(source, self._paid, PRESETS, self._job.key)
        except RefusedError as refused:
            if refused.code == "idempotency_key_used":
                self._ledger.close(self._job)
                raise ServiceError(
                    NAME,
                    "began this job in an earlier try, whose answer was lost, and its minutes count as spent; "
                    "run it again to pay for another, or choose another engine",
                ) from refused
            if refused.certain:
                self._give_back()
            raise
        self._ledger.begun(self._job, task)
        return task

    def _upload(self, progress: Progress) -> str:
        left = self._client.minutes_left()
        if left < self._job.minutes:
            raise ServiceError(
                NAME,
                f"{self._track.path.name} takes {self._job.minutes:.2f} minutes and the licence has {left:.2f}; "
                "buy some at lalal.ai or choose another engine",
            )
        flac = self._scratch / "track.flac"
        encode_flac(self._lowered(), flac)
        uploaded = self._client.upload(flac, progress)
        charged = max(self._job.minutes, uploaded.duration * len(self._paid) / 60)
        self._ledger.uploaded(self._job, uploaded.id, charged)
        return uploaded.id

    def _lowered(self) -> Recording:
        if self._gain == 1:
            return self._track
        rate, channels, frames = self._track.sample_rate, self._track.channels, self._track.frames
        with write_recording(self._scratch / "lowered.wav", rate, channels, frames) as writer:
            for block in self._track.blocks():
                writer.write(block / np.float32(self._gain))
        return writer.recording

    def _fetch(self, address: str, target: Path) -> Recording:
        def fit(file: Path) -> Recording:
            came = decode(file, self._scratch).recording
            return fit_to_track(came, self._track, target, self._gain)

        return self._client.fetch(address, self._scratch / "download", fit)

    def _give_back(self) -> None:
        if not self._job.sent:  # else an earlier process may have been charged
            self._ledger.release(self._job)
            self._delete_source()

    def _delete_source(self) -> None:
        """As far as that is possible: after a day the service does it itself."""
        if self._source is None:
            return
        try:
            self._client.delete(self._source)
        except ServiceError as error:
            _log.warning("a track stays at LALAL.AI for up to a day (%s)", error)


def fit_to_track(came: Recording, track: Recording, target: Path, gain: float) -> Recording:
    """Write what came back as a stem of the track: its rate, channels, and exact frame count, times gain.

    Raises AudioError where it is of another length.
    """
    if abs(came.duration - track.duration) > _LENGTH_SLACK_SECONDS:
        raise AudioError(f"{came.duration:.3f} s came back of {track.duration:.3f} s")
    blocks = (_as_channels(block, track.channels) for block in came.blocks())
    rates = came.sample_rate, track.sample_rate
    with write_recording(target, track.sample_rate, track.channels, track.frames) as writer:
        for block in at_rate(blocks, *rates, track.channels, track.frames):
            writer.write(block * np.float32(gain))
    return writer.recording


def _as_channels(block: Samples, channels: int) -> Samples:
    """One channel is the mean of all; several are as they are, or all of them the one."""
    if len(block) == channels:
        return block
    mono = block.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=0)


def _peak(track: Recording) -> float:
    return max((float(np.abs(block).max()) for block in track.blocks()), default=0.0)


def _part(progress: Progress, start: float, stop: float) -> Progress:
    return lambda done: progress(start + (stop - start) * done)
