/** What was written down of stems, on a ground of its own: pitches in a scale that all share, drums by their names. */
import { useQueries } from "@tanstack/react-query";
import { memo, useEffect, useRef } from "react";
import type { Note } from "../../api/schema.ts";
import { notesQuery } from "../mix/notes.ts";
import { type Row, ROW_MARGIN, drumRows, pitchRows } from "./rows.ts";
import { type View, toPixels } from "./view.ts";

export const ROLL_HEIGHT = 144;

interface Props {
  track: string;
  stems: readonly string[];
  view: View;
  width: number;
  /** Where it begins, in pixels. */
  top: number;
}

export function NoteRoll({ track, stems, view, width, top }: Props) {
  const known = useQueries({ queries: stems.map((stem) => notesQuery(track, stem)) });
  const notes = stems.map((stem, at) => ({ stem, notes: known[at]?.data?.notes ?? [] }));
  const drums = notes.filter(({ stem }) => stem === "drums");
  const pitched = notes.filter(({ stem }) => stem !== "drums");
  const rows = { drums: drumRows(drums.flatMap((one) => one.notes)), pitched: pitchRows(pitched.flatMap((one) => one.notes)) };
  const drumsHeight = pitched.length === 0 ? ROLL_HEIGHT : drums.length === 0 ? 0 : ROLL_HEIGHT / 3;
  return (
    <>
      {pitched.length > 0 && (
        <Roll rows={rows.pitched} stems={pitched} view={view} width={width} top={top} height={ROLL_HEIGHT - drumsHeight} />
      )}
      {drums.length > 0 && (
        <Roll rows={rows.drums} stems={drums} view={view} width={width} top={top + ROLL_HEIGHT - drumsHeight} height={drumsHeight} />
      )}
    </>
  );
}

interface RollProps {
  rows: readonly Row[];
  stems: readonly { stem: string; notes: readonly Note[] }[];
  view: View;
  width: number;
  top: number;
  height: number;
}

function Roll({ rows, stems, view, width, top, height }: RollProps) {
  const step = height / Math.max(1, rows.length);
  return (
    <div className="roll" aria-hidden="true" style={{ top: `${top}px`, height: `${height}px` }}>
      {rows.map((row, at) => {
        if (row.name === null && !row.dark) return null;
        const place = { bottom: `${at * step}px`, height: `${step}px` };
        return (
          <div key={row.pitch} className={row.dark ? "roll-row dark" : "roll-row named"} style={place}>
            {row.name !== null && <span className="scale-mark">{row.name}</span>}
          </div>
        );
      })}
      {stems.map(({ stem, notes }) => (
        <Notes key={stem} stem={stem} notes={notes} rows={rows} view={view} width={width} height={height} />
      ))}
    </div>
  );
}

interface NotesProps {
  stem: string;
  notes: readonly Note[];
  rows: readonly Row[];
  view: View;
  width: number;
  height: number;
}

const Notes = memo(function Notes({ stem, notes, rows, view, width, height }: NotesProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const place = canvas.current;
    if (place === null || width === 0) return;
    const fine = devicePixelRatio || 1;
    place.width = Math.round(width * fine);
    place.height = Math.round(height * fine);
    const pen = place.getContext("2d");
    if (pen === null) return;
    pen.scale(fine, fine);
    const at = new Map(rows.map((row, index) => [row.pitch, index]));
    const step = height / Math.max(1, rows.length);
    const thick = Math.max(2, Math.min(12, step - ROW_MARGIN));
    pen.fillStyle = getComputedStyle(place).color;
    for (const note of notes) {
      if (note.end_s < view.start_s || note.start_s > view.end_s) continue;
      const left = toPixels(note.start_s, view, width);
      const right = toPixels(note.end_s, view, width);
      const middle = height - ((at.get(note.pitch) ?? 0) + 0.5) * step;
      pen.globalAlpha = 0.35 + 0.65 * (note.velocity / 127);
      pen.fillRect(left, middle - thick / 2, Math.max(2, right - left - 0.5), thick);
    }
  }, [notes, rows, view, width, height]);
  return <canvas ref={canvas} className={`notes notes-${stem}`} style={{ width: `${width}px`, height: `${height}px` }} />;
});
