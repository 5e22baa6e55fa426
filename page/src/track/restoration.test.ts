import { expect, it } from "vitest";
import type { RestorationStep, StageReport } from "../api/schema.ts";
import { idleLines, keptOf, measuresBeside, movedBy } from "./restoration.ts";
import { onlyTurned } from "./untouched.ts";

function step(some: Partial<RestorationStep>): RestorationStep {
  return { step: "denoise", subject: "noise", reason: "", engine: "", note: "", kept: 1, taken_back: [], nothing_found: false, aim: null, ...some };
}

function stage(name: string, some: Partial<StageReport>): StageReport {
  return {
    stage: name,
    engine: "",
    seconds: 1,
    made_at: "2026-11-26T10:00:00",
    changed: false,
    warnings: [],
    notes: [],
    measures: {},
    steps: null,
    picture_url: null,
    results: [],
    dagster_url: null,
    ...some,
  };
}

it("says whether a step was kept, and why not, and never all or nothing of what is between", () => {
  const why = ["shimmer got more"];
  expect(keptOf(step({}))).toBe("kept everywhere");
  expect(keptOf(step({ kept: 0.62, taken_back: why }))).toBe("kept in 62 % of what it changed, elsewhere taken back, as shimmer got more");
  expect(keptOf(step({ kept: 0.998, taken_back: why }))).toContain("99 %");
  expect(keptOf(step({ kept: 0.002, taken_back: why }))).toContain("1 %");
  expect(keptOf(step({ kept: 0, taken_back: why }))).toBe("taken back, as shimmer got more");
  expect(keptOf(step({ kept: 0 }))).toBe("nothing changed");
});

it("shows small values as exactly as they need, both alike", () => {
  expect(movedBy({ name: "", unit: "dBFS", before: -78.089, after: -86.651 })).toBe("−78.1 → −86.7 dBFS");
  expect(movedBy({ name: "", unit: "octaves", before: 1.069, after: 0.2 })).toBe("1.07 → 0.20 octaves");
  expect(movedBy({ name: "", unit: "of 1", before: 0.012, after: 0.001 })).toBe("0.012 → 0.001 of 1");
});

it("says what was listened for in vain, and once of which recordings no step was planned", () => {
  const vain = [step({ subject: "clicks", kept: 0, nothing_found: true }), step({ subject: "hum", kept: 0, nothing_found: true })];
  expect(idleLines({ track: [...vain, step({})] })).toEqual(["Listened for, nothing found: clicks, hum."]);
  expect(idleLines({ track: [] })).toEqual(["No step was planned."]);
  expect(idleLines({ vocals: [step({})], drums: vain, bass: [], other: [] })).toEqual([
    "Drums: listened for, nothing found: clicks, hum.",
    "No step was planned: bass, other.",
  ]);
});

it("leaves out numbers that steps tell in words, and no others", () => {
  const restored = stage("restored_track", {
    measures: { bandwidth_hz: 16_000, track_denoise_kept: 1, track_denoise_floor_db: -86.7, steps_kept: 1 },
    steps: { track: [step({})] },
  });
  expect(measuresBeside(restored).map(([name]) => name)).toEqual(["bandwidth_hz", "steps_kept"]);
  expect(measuresBeside({ ...restored, steps: null })).toHaveLength(4);
});

const master = stage("master", { measures: { gain_db: -9.4, limiting_db: 0, compressed_db: 0, clipped_db: 0 } });
const kept = (name: string, steps: number) => stage(name, { measures: { steps_kept: steps } });

it("calls a master untouched only where nothing was restored, and says that its track was", () => {
  const mix = stage("mix", { changed: false });
  const turned = (track: number, stems: number) => onlyTurned([kept("restored_track", track), kept("restored_stems", stems), mix, master]);
  expect(turned(0, 0)).toBe("your track, 9.4 dB quieter, otherwise untouched");
  expect(turned(2, 0)).toBe("your track, restored and 9.4 dB quieter");
  expect(turned(0, 1)).toBeNull();
  expect(onlyTurned([mix, master])).toBeNull();
});

it("says of a restored track that is as loud as it was that it was restored", () => {
  const level = { ...master, measures: { ...master.measures, gain_db: 0 } };
  const stages = [stage("mix", { changed: false }), level, kept("restored_stems", 0)];
  expect(onlyTurned([kept("restored_track", 1), ...stages])).toBe("your track, restored");
  expect(onlyTurned([kept("restored_track", 0), ...stages])).toBe("your track as it is, untouched");
});
