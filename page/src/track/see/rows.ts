/** Rows of a note roll, the lowest first. Pitches are MIDI's, 60 being C4. */
import type { Note } from "../../api/schema.ts";

export interface Row {
  pitch: number;
  /** What stands beside it; null where nothing does. */
  name: string | null;
  /** As a black key. */
  dark: boolean;
}

export const ROW_MARGIN = 1; // pixels between notes
const FEWEST = 24; // so that few notes do not look as high as a house
const BLACK = [1, 3, 6, 8, 10];
/** General MIDI's percussion map. */
const DRUMS: Readonly<Record<number, string>> = {
  35: "Kick",
  36: "Kick",
  38: "Snare",
  40: "Snare",
  41: "Low tom",
  42: "Closed hat",
  44: "Pedal hat",
  45: "Tom",
  46: "Open hat",
  48: "Tom",
  49: "Crash",
  50: "High tom",
  51: "Ride",
};

/** All pitches from the lowest to the highest that is played, at least two octaves. */
export function pitchRows(notes: readonly Note[]): Row[] {
  const lowest = notes.reduce((least, note) => Math.min(least, note.pitch), 127);
  const highest = notes.reduce((most, note) => Math.max(most, note.pitch), 0);
  if (lowest > highest) return [];
  const spare = Math.max(2, Math.ceil((FEWEST - (highest - lowest + 1)) / 2));
  const first = Math.max(0, lowest - spare);
  const last = Math.min(127, highest + spare);
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const pitch = first + at;
    return { pitch, name: pitch % 12 === 0 ? `C${pitch / 12 - 1}` : null, dark: BLACK.includes(pitch % 12) };
  });
}

/** A row for each drum that is played. */
export function drumRows(notes: readonly Note[]): Row[] {
  const pitches = [...new Set(notes.map((note) => note.pitch))].toSorted((one, other) => one - other);
  return pitches.map((pitch, at) => ({ pitch, name: DRUMS[pitch] ?? `Drum ${pitch}`, dark: at % 2 === 1 }));
}
