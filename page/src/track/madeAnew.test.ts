import { expect, it } from "vitest";
import type { StageReport, Version } from "../api/schema.ts";
import { asBrief, bothOf, labelOf, noiseLine, wantedLine, wantedOf } from "./madeAnew.ts";

function version(id: string, some: Partial<Version> = {}): Version {
  return {
    id,
    label: id,
    group: "regenerated",
    stem: null,
    duration_s: 10,
    sample_rate: 48_000,
    channels: 2,
    loudness_lufs: -14,
    loudness_range_lu: null,
    true_peak_dbtp: null,
    bandwidth_hz: null,
    offset_s: 0,
    gain_db: null,
    generated: false,
    current: true,
    made_at: "2026-11-26T10:00:00",
    settings: {},
    url: "",
    ...some,
  };
}

function stage(name: string, measures: StageReport["measures"]): StageReport {
  return {
    stage: name,
    engine: "",
    seconds: 1,
    made_at: "2026-11-26T10:00:00",
    changed: null,
    warnings: [],
    notes: [],
    measures,
    steps: null,
    picture_url: null,
    results: [],
    dagster_url: null,
  };
}

function value(name: string, of: unknown) {
  return { name, value: of, origin: "", built_in: true };
}

function noisy(snr_db: number): string {
  return noiseLine({ stages: [stage("profile", { snr_db })] });
}

const stages = [stage("generated_track", { label: "played anew from its notes", share: 0.35, generated: false })];
const [original, restored, generated] = ["original", "restored_track", "generated_track:generated"].map((id) => version(id)) as [Version, Version, Version];

it("lays what was generated over what was restored, and over the original where nothing was", () => {
  expect(bothOf({ versions: [original, restored, generated], stages })).toEqual({ restored, generated, label: "Played anew from its notes", share: 0.35 });
  expect(bothOf({ versions: [original, generated], stages })?.restored).toBe(original);
  expect(bothOf({ versions: [original, restored], stages })).toBeNull();
});

it("calls everything that nobody played what the server calls it", () => {
  expect(labelOf(version("generated_track:blend"), { stages })).toBe("Played anew from its notes");
  const byModel = [stage("generated_track", { label: "AI-generated", generated: true })];
  expect(labelOf(version("generated_track:generated", { generated: true }), { stages: byModel })).toBe("AI-generated");
  expect(labelOf(version("regenerated_stems:bass", { generated: true }), { stages })).toBe("Synthesised");
  expect(labelOf(restored, { stages })).toBe("");
});

it("does not call an earlier one what the current one is called", () => {
  expect(labelOf(version("generated_track:generated@0123456789abcdef", { generated: true, current: false }), { stages })).toBe("Synthesised");
});

it("asks for a blend by its share, and for the restored recording where nothing else is in it", () => {
  expect(asBrief(0.35)).toEqual({ "restoration.mode": "blend", "restoration.blend": 0.35 });
  expect(asBrief(0)).toEqual({ "restoration.mode": "restore" });
});

it("says what the brief asks for", () => {
  const wanted = wantedOf({ values: [value("restoration.mode", "blend"), value("restoration.blend", 0.35)] });
  expect(wantedLine(wanted)).toBe("The brief asks for a blend, 35 % made anew.");
});

it("says what the noise speaks for, by the bounds that auto has", () => {
  expect(noisy(3)).toContain("worth a try");
  expect(noisy(10)).toContain("a blend may be best");
  expect(noisy(40)).toContain("restoring it is usually better");
  expect(noiseLine({ stages: [] })).toBe("");
});

it("does not take music without a quiet moment for noise", () => {
  const dense = [stage("profile", { snr_db: 4.2, over_steady_noise_db: 80 })];
  expect(noiseLine({ stages: dense })).toContain("restoring it is usually better");
});
