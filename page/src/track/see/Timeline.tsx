/** The track as one sees it: waveform above spectrogram, the music's lanes, region and playhead. */
import { type PointerEvent as Pressed, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Track } from "../../api/schema.ts";
import { announce } from "../../design/announce.tsx";
import { Musical } from "../../design/Musical.tsx";
import { clock, percent } from "../../format.ts";
import { factor } from "../../player/loudness.ts";
import { useRemembered } from "../../remembered.ts";
import { useFrame } from "../useFrame.ts";
import { durationOf, usePlayer, usePlayerState } from "../usePlayer.ts";
import { useWidth } from "../useWidth.ts";
import { Beats, Chords, Ruler, Sections } from "./Lanes.tsx";
import { NoteRoll, ROLL_HEIGHT } from "./NoteRoll.tsx";
import { Overview } from "./Overview.tsx";
import { FrequencyScale, LevelScale } from "./Scales.tsx";
import { Spectrogram } from "./Spectrogram.tsx";
import { type View, following, moved, toPixels, toSeconds, within, zoomed } from "./view.ts";
import { Waveform } from "./Waveform.tsx";
import "./timeline.css";

const WAVE_HEIGHT = 96;
const SPECTROGRAM_HEIGHT = 120;
const DRAG_PX = 4;
const LINE_PX = 16; // of a wheel that counts lines
const SHOWN: Shown = { waveform: true, spectrogram: true, lanes: true, follow: true };

interface Shown {
  waveform: boolean;
  spectrogram: boolean;
  lanes: boolean;
  follow: boolean;
}

interface Props {
  track: Track;
  /** Stems whose notes are drawn. */
  notes: readonly string[];
}

export function Timeline({ track, notes }: Props) {
  const player = usePlayer();
  const state = usePlayerState();
  const duration_s = durationOf(track);
  const [view, setView] = useState<View>({ start_s: 0, end_s: duration_s });
  const [shown, setShown] = useRemembered<Shown>("timeline", SHOWN);
  const [place, width] = useWidth<HTMLDivElement>();
  const head = useRef<HTMLDivElement>(null);
  const scrub = useRef<HTMLDivElement>(null);
  const drag = useDrag(view, width, duration_s);

  useFrame(() => {
    const position = player.position;
    if (shown.follow && player.state.engine === "playing" && !drag.active.current) {
      const next = following(view, position, duration_s);
      if (next !== view) setView(next);
    }
    if (head.current !== null) {
      const at = toPixels(position, view, width);
      head.current.style.transform = `translateX(${at}px)`;
      head.current.hidden = at < 0 || at > width;
    }
    const now = String(Math.floor(position));
    if (scrub.current !== null && scrub.current.getAttribute("aria-valuenow") !== now) {
      scrub.current.setAttribute("aria-valuenow", now);
      scrub.current.setAttribute("aria-valuetext", `${clock(position)} of ${clock(duration_s)}`);
    }
  });

  const turn = useCallback(
    (event: WheelEvent) => {
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
      const aside = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const left = place.current?.getBoundingClientRect().left ?? 0;
        setView((now) =>
          zoomed(now, 1.0025 ** (event.deltaY * unit), toSeconds(event.clientX - left, now, width), duration_s),
        );
      } else if (Math.abs(aside) > 0 && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
        event.preventDefault();
        setView((now) => moved(now, ((aside * unit) / width) * (now.end_s - now.start_s), duration_s));
      }
    },
    [place, width, duration_s],
  );
  useEffect(() => {
    const element = place.current;
    element?.addEventListener("wheel", turn, { passive: false }); // React's own listener could not keep the page still
    return () => element?.removeEventListener("wheel", turn);
  }, [place, turn]);

  const heard = track.versions.find((version) => version.id === (state.mixing ? "mix" : state.version)) ?? track.versions[0];
  const about = () => {
    const position = player.position;
    return position >= view.start_s && position <= view.end_s ? position : (view.start_s + view.end_s) / 2;
  };
  const { region } = state;
  const music = useMemo(() => track.music, [track.music]);
  if (heard === undefined) return null;
  const shape = { track: track.summary.track, version: heard.id, revision: heard.made_at, duration_s: heard.duration_s, offset_s: heard.offset_s };
  const waveform = shown.waveform || !shown.spectrogram; // there must be something to point at
  const waveHeight = waveform ? WAVE_HEIGHT : 0;
  const rollTop = waveHeight + (shown.spectrogram ? SPECTROGRAM_HEIGHT : 0);
  const height = rollTop + (notes.length > 0 ? ROLL_HEIGHT : 0);
  const toggle = (name: keyof Shown) => setShown({ ...shown, [name]: !shown[name] });

  return (
    <section className="timeline card" aria-label="Waveform and spectrogram">
      <div className="timeline-tools">
        <div className="tool-group" role="group" aria-label="Zoom">
          <ToolButton label="Zoom out" sign="−" onClick={() => setView(zoomed(view, 2, about(), duration_s))} />
          <ToolButton label="Zoom in" sign="+" onClick={() => setView(zoomed(view, 0.5, about(), duration_s))} />
          <ToolButton label="Show all" sign="All" onClick={() => setView({ start_s: 0, end_s: duration_s })} />
          <button
            type="button"
            className="button tight"
            disabled={region === null}
            onClick={() => region && setView(within(wider(region), duration_s))}
          >
            Region
          </button>
        </div>
        {music !== null && (
          <p className="small soft figures">
            {music.key !== null && (
              <>
                Key <Musical text={music.key} />
                {music.key_confidence !== null && ` (${percent(music.key_confidence)} sure)`}
              </>
            )}
            {music.key !== null && music.tempo_bpm !== null && " · "}
            {music.tempo_bpm !== null && `${music.tempo_bpm.toFixed(1)} BPM (${percent(music.tempo_confidence)} sure)`}
            {music.time_signature !== null && ` · ${music.time_signature} (${percent(music.metre_confidence)} sure)`}
          </p>
        )}
        <div className="tool-group" role="group" aria-label="What is shown">
          {(["waveform", "spectrogram", "lanes", "follow"] as const).map((name) => (
            <button key={name} type="button" className="button tight quiet toggle" aria-pressed={shown[name]} onClick={() => toggle(name)}>
              {name === "lanes" ? "Music" : name.charAt(0).toUpperCase() + name.slice(1)}
            </button>
          ))}
        </div>
      </div>
      <div className="timeline-lanes" ref={place}>
        <Ruler view={view} width={width} />
        {shown.lanes && music !== null && music.sections.length > 0 && (
          <Sections
            view={view}
            width={width}
            sections={music.sections}
            onChoose={(section) => {
              player.setRegion({ start_s: section.start_s, end_s: section.end_s });
              player.seek(section.start_s);
              announce(`Section ${section.label}, from ${clock(section.start_s)} to ${clock(section.end_s)}, is the region`);
            }}
          />
        )}
        <div
          className="picture"
          ref={scrub}
          role="slider"
          tabIndex={0}
          aria-label="Position in the track"
          aria-valuemin={0}
          aria-valuemax={Math.floor(duration_s)}
          aria-valuenow={0}
          style={{ height: `${height}px` }}
          {...drag.handlers}
        >
          {waveform && <LevelScale height={WAVE_HEIGHT} />}
          {waveform && (
            <Waveform
              {...shape}
              view={view}
              width={width}
              height={WAVE_HEIGHT}
              gain={factor(player.gainOf(heard.id))}
              className="wave"
            />
          )}
          {shown.spectrogram && width > 0 && (
            <Spectrogram {...shape} view={view} width={width} top={waveHeight} height={SPECTROGRAM_HEIGHT} />
          )}
          {shown.spectrogram && <FrequencyScale top={waveHeight} height={SPECTROGRAM_HEIGHT} />}
          {notes.length > 0 && <NoteRoll track={track.summary.track} stems={notes} view={view} width={width} top={rollTop} />}
          {shown.lanes && music !== null && <Beats view={view} width={width} music={music} />}
          {region !== null && (
            <div
              className={state.looping ? "region looped" : "region"}
              style={{
                transform: `translateX(${toPixels(region.start_s, view, width)}px)`,
                width: `${toPixels(region.end_s, view, width) - toPixels(region.start_s, view, width)}px`,
              }}
            />
          )}
        </div>
        {shown.lanes && music !== null && music.chords.length > 0 && <Chords view={view} width={width} chords={music.chords} />}
        <div className="playhead" ref={head} />
      </div>
      <Overview {...shape} view={view} duration_s={duration_s} onView={setView} />
    </section>
  );
}

function ToolButton({ label, sign, onClick }: { label: string; sign: string; onClick: () => void }) {
  return (
    <button type="button" className="button tight" aria-label={label} title={label} onClick={onClick}>
      {sign}
    </button>
  );
}

function wider({ start_s, end_s }: View): View {
  const more = (end_s - start_s) * 0.1;
  return { start_s: start_s - more, end_s: end_s + more };
}

/** A click seeks, a drag chooses a region. */
function useDrag(view: View, width: number, duration_s: number) {
  const player = usePlayer();
  const active = useRef<{ x: number; time: number; moved: boolean } | null>(null);
  const timeOf = (event: Pressed<HTMLElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    return Math.min(duration_s, Math.max(0, toSeconds(x, view, width)));
  };
  return {
    active,
    handlers: {
      onPointerDown: (event: Pressed<HTMLElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        active.current = { x: event.clientX, time: timeOf(event), moved: false };
      },
      onPointerMove: (event: Pressed<HTMLElement>) => {
        const begun = active.current;
        if (begun === null || (!begun.moved && Math.abs(event.clientX - begun.x) < DRAG_PX)) return;
        begun.moved = true;
        const [from, to] = [player.snapped(begun.time), player.snapped(timeOf(event))].toSorted((a, b) => a - b);
        if (from !== undefined && to !== undefined && to > from) player.setRegion({ start_s: from, end_s: to });
      },
      onPointerUp: (event: Pressed<HTMLElement>) => {
        const begun = active.current;
        active.current = null;
        if (begun !== null && !begun.moved) player.seek(timeOf(event), true);
      },
      onPointerCancel: () => {
        active.current = null;
      },
    },
  };
}
