"""Profiling: what a track is: tempo, beats, key, loudness, bandwidth, width, sections."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg

from resonate_resources.profiling import beat_network
from resonate_resources.profiling.analysis import analyse_music
from resonate_resources.profiling.beats import METHOD
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.key import camelot, open_key
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.width import measure_width
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.bandwidth import detect_bandwidth
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.octaves import octave_levels
from resonate_resources.signal.picture import draw
from resonate_resources.signal.quiet import snr_of
from resonate_resources.signal.true_peak import measure_true_peak

CODE_VERSION = "6"
"""Raised when the algorithm changes in a way that no constant shows."""


class ProfilingResource(dg.ConfigurableResource[None]):
    """Describes a track in numbers; what hears its beats is the one model."""

    def recipe(self, brief: ProfileBrief) -> Recipe:
        engine = Engine("signal-analysis", beat_network.MODEL, beat_network.LICENCE)
        settings: dict[str, Json] = {**brief.asked(), "weights_sha256": {**beat_network.SHA256}}
        return Recipe.of(__name__, engine, settings, CODE_VERSION)

    def profile(
        self, track: Recording, brief: ProfileBrief, into: Path, progress: Progress = silent
    ) -> Product:
        """Write profile.json into that existing directory. What the brief knows of the track counts."""
        with ThreadPoolExecutor(1) as pool:  # the meters beside the music: two cores
            meters = pool.submit(
                lambda: (
                    measure_loudness(track),
                    measure_true_peak(track),
                    detect_bandwidth(track),
                    octave_levels(track),
                    snr_of(track),
                )
            )
            music = analyse_music(track, lambda done: progress(0.8 * done), tempo_bpm=brief.tempo_bpm)
            width = measure_width(track)
            loudness, true_peak, bandwidth, octaves, snr_db = meters.result()
        keys = music.keys
        key = brief.key or (keys.key if keys else None)
        profile = Profile(
            duration_s=track.duration,
            **vars(music.beats),
            beats_method=METHOD,
            key=key,
            key_confidence=keys.confidence if keys and not brief.key else None,
            keys=keys.spans if keys else (),
            tuning_cents=keys.tuning_cents if keys else None,
            camelot=camelot(key) if key else None,
            open_key=open_key(key) if key else None,
            loudness_lufs=_known(loudness.integrated_lufs),
            loudness_range_lu=loudness.range_lu,
            true_peak_dbtp=_known(true_peak),
            crest_db=_known(true_peak - loudness.integrated_lufs)
            if loudness.integrated_lufs > -math.inf
            else None,
            snr_db=snr_db,
            bandwidth_hz=bandwidth.upper_hz,
            octaves_db=tuple(round(10 * math.log10(max(power, 1e-14)), 2) for power in octaves.tolist()),
            width_db=width.width_db,
            width_by_band_db=width.bands_db,
            correlation=width.correlation,
            sections=music.sections,
            hints=brief.hints,
        )
        profile.write(into / "profile.json")
        marks = {section.start_s: section.label for section in profile.sections}
        (into / "picture.png").write_bytes(draw({profile.key or "track": track}, marks, profile.downbeats_s))
        progress(1.0)
        known = {
            "tempo_bpm": profile.tempo_bpm,
            "second_tempo_bpm": profile.second_tempo_bpm,
            "swing": profile.swing,
            "key": profile.key,
            "key_confidence": profile.key_confidence,
            "tuning_cents": profile.tuning_cents,
            "camelot": profile.camelot,
            "width_db": profile.width_db,
            "correlation": profile.correlation,
            "crest_db": profile.crest_db,
            "snr_db": profile.snr_db,
        }
        return Product(
            {"profile.json": into / "profile.json"},
            {
                "beats": len(profile.beats_s),
                "downbeats": len(profile.downbeats_s),
                "tempo_confidence": profile.tempo_confidence,
                "beats_confidence": profile.beats_confidence,
                "downbeats_confidence": profile.downbeats_confidence,
                "sections": len(profile.sections),
                "loudness_lufs": loudness.integrated_lufs,
                "loudness_range_lu": loudness.range_lu,
                "true_peak_dbtp": true_peak,
                "bandwidth_hz": bandwidth.upper_hz,
                **{name: value for name, value in known.items() if value is not None},
            },
            (
                *(f"no {name} found" for name in ("tempo_bpm", "key") if known[name] is None),
                *(f"{name} as the brief says" for name in ("tempo_bpm", "key") if getattr(brief, name)),
            ),
            reports={"picture.png": into / "picture.png"},
        )


def _known(level_db: float) -> float | None:
    """JSON has no -inf."""
    return level_db if math.isfinite(level_db) else None
