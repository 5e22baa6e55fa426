"""Profiling: what a track is: tempo, beats, key, loudness, bandwidth, width, sections."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from resonate_resources.profiling import beat_network
from resonate_resources.profiling.analysis import analyse_music
from resonate_resources.profiling.beats import METHOD
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.fingerprint import FingerprintError, fingerprint_of
from resonate_resources.profiling.profile import Loudness, Profile
from resonate_resources.profiling.width import measure_width
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.planned_music import PlannedMusic
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.levels import meter
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.octaves import OctaveMeter
from resonate_resources.signal.picture import draw
from resonate_resources.signal.sound_quality import Score, quality_of
from resonate_resources.signal.spelling import camelot, open_key
from resonate_resources.signal.traces import Traces, find_traces
from resonate_resources.signal.true_peak import TruePeakMeter

CODE_VERSION = "6"
"""Raised when the algorithm changes in a way that no constant shows."""

_METHODS = {
    "beats": METHOD,
    "key": "chroma, 24 keys and changes between them",
    "sections": "novelty of timbre",
    "loudness": "ITU-R BS.1770-5, EBU R 128, EBU Tech 3342",
    "quality": "mean and worst of parts, each from one measure",
    "bandwidth": "where percentiles of the long-term spectrum fall",
    "snr": "the quietest fiftieth of all moments",
    "steady_noise": "spectral lines that are as steady as noise",
    "hum": "steady harmonics of 50 or 60 Hz",
    "shimmer": "short narrow peaks from 6 to 10 kHz",
    "fingerprint": "Chromaprint",
}
_TOLD = (
    "tempo_bpm", "tempo_confidence", "second_tempo_bpm", "beats_confidence", "downbeats_confidence",
    "metre_confidence", "swing", "key", "key_confidence", "tuning_cents", "camelot", "bandwidth_hz", "cut",
    "centroid_hz", "flat_tops", "snr_db", "noise_floor_dbfs", "over_steady_noise_db", "shimmer", "width_db",
    "correlation",
)  # fmt: skip


class ProfilingResource(dg.ConfigurableResource[None]):
    """Describes a track in numbers; what hears its beats is the one model."""

    def recipe(self, brief: ProfileBrief) -> Recipe:
        engine = Engine("signal-analysis", beat_network.MODEL, beat_network.LICENCE)
        settings: dict[str, Json] = {**brief.asked(), "weights_sha256": {**beat_network.SHA256}}
        return Recipe.of(__name__, engine, settings, CODE_VERSION)

    def profile(
        self,
        track: Recording,
        brief: ProfileBrief,
        into: Path,
        progress: Progress = silent,
        planned: PlannedMusic | None = None,
    ) -> Product:
        """Write profile.json into that existing directory. What the brief knows of the track counts, then what was
        planned of it; all else is heard."""
        with ThreadPoolExecutor(1) as pool:  # the meters beside the music: two cores
            measured = pool.submit(_measured, track)
            music = analyse_music(
                track, lambda done: progress(0.8 * done), tempo_bpm=brief.tempo_bpm, planned=planned
            )
            width = measure_width(track)
            sound = measured.result()
        fingerprint, why = _fingerprint(track)
        keys = music.keys
        key = brief.key or (keys.key if keys else None)
        by_plan = _by_plan(brief) if planned else {}
        profile = Profile(
            duration_s=track.duration,
            **vars(music.beats),
            key=key,
            key_confidence=keys.confidence if keys and not brief.key else None,
            keys=keys.spans if keys else (),
            tuning_cents=keys.tuning_cents if keys else None,
            camelot=camelot(key) if key else None,
            open_key=open_key(key) if key else None,
            loudness=sound.loudness,
            quality=sound.quality,
            **vars(sound.traces),
            centroid_hz=sound.centroid_hz,
            octaves_db=sound.octaves_db,
            width_db=width.width_db,
            width_by_band_db=width.bands_db,
            correlation=width.correlation,
            sections=music.sections,
            fingerprint=fingerprint,
            methods=_METHODS | dict.fromkeys(by_plan, "the plan"),
            hints=brief.hints,
        )
        profile.write(into / "profile.json")
        marks = {section.start_s: section.label for section in profile.sections}
        (into / "picture.png").write_bytes(draw({profile.key or "track": track}, marks, profile.downbeats_s))
        progress(1.0)
        return Product(
            {"profile.json": into / "profile.json"},
            _told(profile),
            (
                *(f"no {name} found" for name in ("tempo_bpm", "key") if getattr(profile, name) is None),
                *(f"{name} as the brief says" for name in ("tempo_bpm", "key") if getattr(brief, name)),
                *((f"{', '.join(by_plan.values())} by the plan",) if by_plan else ()),
                *((f"no fingerprint: {why}",) if why else ()),
            ),
            reports={"picture.png": into / "picture.png"},
            engine=Engine("signal-analysis") if "beats" in by_plan else None,
        )


def _by_plan(brief: ProfileBrief) -> dict[str, str]:
    """What of a planned track is not heard: method → what it tells. What the brief says is not the plan's."""
    return {
        **({} if brief.tempo_bpm else {"beats": "tempo, beats, metre"}),
        **({} if brief.key else {"key": "key"}),
        "sections": "sections",
    }


@dataclass(frozen=True)
class _Sound:
    loudness: Loudness
    quality: Score
    traces: Traces
    octaves_db: tuple[float, ...]
    centroid_hz: float | None


def _measured(track: Recording) -> _Sound:
    loudness = LoudnessMeter(track.sample_rate, track.channels)
    peak = TruePeakMeter(track.sample_rate, track.channels)
    octaves = OctaveMeter(track.sample_rate, track.channels)
    meter(track.blocks(), loudness.update, peak.update, octaves.update)
    levels, true_peak = loudness.measured(), peak.peak()
    traces, centroid_hz = find_traces(track), octaves.centroid_hz()
    rms_dbfs = -math.inf if traces.rms_dbfs is None else traces.rms_dbfs
    return _Sound(
        Loudness(
            integrated_lufs=_known(levels.integrated_lufs),
            range_lu=levels.range_lu,
            max_momentary_lufs=_known(levels.max_momentary_lufs),
            max_short_term_lufs=_known(levels.max_short_term_lufs),
            true_peak_dbtp=_known(true_peak),
            plr_db=_known(true_peak - levels.integrated_lufs),
            crest_db=_known(true_peak - rms_dbfs),
        ),
        quality_of(traces, track.duration, levels.integrated_lufs, true_peak, centroid_hz),
        traces,
        tuple(round(10 * math.log10(max(power, 1e-14)), 2) for power in octaves.levels().tolist()),
        centroid_hz,
    )


def _fingerprint(track: Recording) -> tuple[str | None, str | None]:
    """It, or why there is none."""
    try:
        return fingerprint_of(track), None
    except FingerprintError as error:
        return None, str(error)


def _told(profile: Profile) -> dict[str, float | int | str | bool]:
    """The measures: what is one number or word."""
    loudness = profile.loudness
    known = {
        "loudness_lufs": -math.inf if loudness.integrated_lufs is None else loudness.integrated_lufs,
        "loudness_range_lu": loudness.range_lu,
        "max_momentary_lufs": loudness.max_momentary_lufs,
        "max_short_term_lufs": loudness.max_short_term_lufs,
        "true_peak_dbtp": -math.inf if loudness.true_peak_dbtp is None else loudness.true_peak_dbtp,
        "plr_db": loudness.plr_db,
        "crest_db": loudness.crest_db,
        "quality": profile.quality.total,
        **{f"quality_{part}": value for part, value in profile.quality.parts.items()},
        "hum_dbfs": profile.hum.level_dbfs if profile.hum else None,
        "metre": profile.metre,
        "beats": len(profile.beats_s),
        "downbeats": len(profile.downbeats_s),
        "sections": len(profile.sections),
        **{name: getattr(profile, name) for name in _TOLD},
    }
    return {name: value for name, value in known.items() if value is not None}


def _known(level_db: float) -> float | None:
    """JSON has no infinities."""
    return level_db if math.isfinite(level_db) else None
