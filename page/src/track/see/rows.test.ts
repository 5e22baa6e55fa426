import { expect, it } from "vitest";
import { drumRows, pitchRows } from "./rows.ts";

const note = (pitch: number) => ({ start_s: 0, end_s: 1, pitch, velocity: 64 });

it("names each C as pitches are named, A4 being 69, and darkens black keys", () => {
  const rows = pitchRows([note(36), note(69)]);
  expect(rows.filter((row) => row.name !== null).map((row) => [row.pitch, row.name])).toEqual([
    [36, "C2"],
    [48, "C3"],
    [60, "C4"],
  ]);
  expect(rows.filter((row) => row.dark && row.pitch >= 60).map((row) => row.pitch)).toEqual([61, 63, 66, 68, 70]);
});

it("shows two octaves at least, and nothing of no notes", () => {
  expect(pitchRows([note(60)]).length).toBeGreaterThanOrEqual(24);
  expect(pitchRows([])).toEqual([]);
});

it("has a row for each drum, by its name in General MIDI", () => {
  expect(drumRows([note(42), note(36), note(42), note(38)]).map((row) => row.name)).toEqual(["Kick", "Snare", "Closed hat"]);
});
