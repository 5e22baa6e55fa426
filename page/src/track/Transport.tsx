/** Play and where it is; loop, snap, loudness matching, volume. */
import { useRef } from "react";
import { lineOf } from "../api/client.ts";
import { announce } from "../design/announce.tsx";
import { clock } from "../format.ts";
import type { Snap } from "../player/player.ts";
import { useFrame } from "./useFrame.ts";
import { usePlayer, usePlayerState } from "./usePlayer.ts";

const SNAPS: readonly [Snap, string][] = [
  ["off", "Nothing"],
  ["beats", "Beats"],
  ["sections", "Sections"],
];

/** What stays in sight. */
export function PlayAndTime({ duration_s }: { duration_s: number }) {
  const player = usePlayer();
  const state = usePlayerState();
  const time = useRef<HTMLSpanElement>(null);
  useFrame(() => {
    const text = clock(Math.floor(player.position));
    if (time.current !== null && time.current.textContent !== text) time.current.textContent = text;
  });
  const playing = state.engine === "playing" || state.engine === "waiting";
  return (
    <div className="play-and-time" role="group" aria-label="Playing">
      <button
        type="button"
        className="button primary play"
        aria-label={playing ? "Pause" : "Play"}
        aria-keyshortcuts="Space"
        onClick={() => player.toggle()}
      >
        <span aria-hidden="true">{playing ? "❚❚" : "▶"}</span>
      </button>
      <span className="time figures">
        <span ref={time}>0:00</span>
        <span className="soft"> / {clock(duration_s)}</span>
      </span>
      {state.engine === "waiting" && (
        <span className="small soft" role="status">
          Loading…
        </span>
      )}
      {state.engine === "failed" && (
        <span className="alert small" role="alert">
          {lineOf(state.failure)}
        </span>
      )}
    </div>
  );
}

export function Transport() {
  const player = usePlayer();
  const state = usePlayerState();
  return (
    <div className="card transport" role="group" aria-label="How it is played">
      <button
        type="button"
        className="button"
        aria-pressed={state.looping}
        aria-keyshortcuts="L"
        disabled={state.region === null}
        title={state.region === null ? "Drag over the waveform to choose a region" : "Loop the region (L)"}
        onClick={() => player.setLooping(!state.looping)}
      >
        Loop
      </button>
      {state.region !== null && (
        <span className="small figures region-times">
          {clock(state.region.start_s)}–{clock(state.region.end_s)}
          <button type="button" className="button quiet tight" aria-label="Forget the region" onClick={() => player.setRegion(null)}>
            <span aria-hidden="true">✕</span>
          </button>
        </span>
      )}
      <label className="labelled small">
        Snap to
        <select className="field" value={state.snap} onChange={(event) => player.setSnap(event.target.value as Snap)}>
          {SNAPS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="button"
        aria-pressed={state.match}
        aria-keyshortcuts="M"
        disabled={state.blind}
        title="Play all versions as loud as the softest of them (M)"
        onClick={() => {
          player.setMatch(!state.match);
          announce(state.match ? "Versions are played as loud as they are" : "Versions are played equally loud");
        }}
      >
        Match loudness
      </button>
      <label className="labelled small volume">
        Volume
        <input
          type="range"
          className="slider"
          min={0}
          max={1}
          step={0.01}
          value={state.volume}
          aria-valuetext={`${Math.round(state.volume * 100)} %`}
          onChange={(event) => player.setVolume(event.target.valueAsNumber)}
        />
      </label>
    </div>
  );
}
