/** What was written down of a stem, over the picture of the sound. */
import { useEffect, useRef } from "react";
import { useNotes } from "../mix/useNotes.ts";
import { type View, toPixels } from "./view.ts";

interface Props {
  track: string;
  stem: string;
  view: View;
  width: number;
  /** Where it stands, in pixels. */
  top: number;
  height: number;
}

const MARGIN = 8; // pixels above and below

export function NoteRoll({ track, stem, view, width, top, height }: Props) {
  const notes = useNotes(track, stem, true);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const place = canvas.current;
    if (place === null || width === 0 || notes.data === undefined) return;
    const fine = devicePixelRatio || 1;
    place.width = Math.round(width * fine);
    place.height = Math.round(height * fine);
    const pen = place.getContext("2d");
    if (pen === null) return;
    pen.scale(fine, fine);
    const pitches = notes.data.notes.map((note) => note.pitch);
    const lowest = pitches.reduce((one, other) => Math.min(one, other), 127);
    const highest = pitches.reduce((one, other) => Math.max(one, other), 0);
    const step = (height - 2 * MARGIN) / Math.max(12, highest - lowest + 1);
    const thick = Math.max(2, Math.min(8, step - 1));
    pen.fillStyle = getComputedStyle(place).color;
    for (const note of notes.data.notes) {
      if (note.end_s < view.start_s || note.start_s > view.end_s) continue;
      const left = toPixels(note.start_s, view, width);
      const right = toPixels(note.end_s, view, width);
      pen.globalAlpha = 0.35 + 0.65 * (note.velocity / 127);
      pen.fillRect(left, height - MARGIN - (note.pitch - lowest + 1) * step, Math.max(2, right - left - 0.5), thick);
    }
  }, [notes.data, view, width, height]);
  return <canvas ref={canvas} className={`notes notes-${stem}`} aria-hidden="true" style={{ top: `${top}px`, width: `${width}px`, height: `${height}px` }} />;
}
