/** The whole track, small, and which part of it is shown above. */
import { type PointerEvent as Pressed, useRef } from "react";
import { clock } from "../../format.ts";
import { useFrame } from "../useFrame.ts";
import { usePlayer } from "../usePlayer.ts";
import { useWidth } from "../useWidth.ts";
import { type View, moved, toPixels, toSeconds } from "./view.ts";
import { Waveform } from "./Waveform.tsx";

const HEIGHT = 36;
const STEP = 0.1; // of what is shown, by a key

interface Props {
  track: string;
  version: string;
  revision: string;
  duration_s: number;
  offset_s: number;
  view: View;
  onView: (view: View) => void;
}

export function Overview({ track, version, revision, duration_s, offset_s, view, onView }: Props) {
  const player = usePlayer();
  const [place, width] = useWidth<HTMLDivElement>();
  const head = useRef<HTMLDivElement>(null);
  const whole = { start_s: 0, end_s: duration_s };
  const length = view.end_s - view.start_s;
  useFrame(() => {
    if (head.current !== null) head.current.style.transform = `translateX(${toPixels(player.position, whole, width)}px)`;
  });
  const centre = (event: Pressed<HTMLElement>) => {
    if (event.buttons !== 1) return;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    onView(moved(view, toSeconds(x, whole, width) - length / 2 - view.start_s, duration_s));
  };
  return (
    <div
      className="overview"
      ref={place}
      role="scrollbar"
      tabIndex={0}
      aria-controls="main"
      aria-orientation="horizontal"
      aria-label="Part of the track that is shown"
      aria-valuemin={0}
      aria-valuemax={Math.round(duration_s)}
      aria-valuenow={Math.round(view.start_s)}
      aria-valuetext={`${clock(view.start_s)} to ${clock(view.end_s)}`}
      style={{ height: `${HEIGHT}px` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        centre(event);
      }}
      onPointerMove={centre}
      onKeyDown={(event) => {
        const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (way === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onView(moved(view, way * STEP * length, duration_s));
      }}
    >
      <Waveform
        track={track}
        version={version}
        revision={revision}
        duration_s={duration_s}
        offset_s={offset_s}
        view={whole}
        width={width}
        height={HEIGHT}
        gain={1}
        className="wave"
      />
      <div
        className="viewport"
        style={{
          transform: `translateX(${toPixels(view.start_s, whole, width)}px)`,
          width: `${Math.max(4, (length / duration_s) * width)}px`,
        }}
      />
      <div className="playhead" ref={head} />
    </div>
  );
}
