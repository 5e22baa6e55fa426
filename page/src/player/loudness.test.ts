import { describe, expect, it } from "vitest";
import { equalPower, factor, matchingGains } from "./loudness.ts";

const version = (id: string, loudness_lufs: number | null, stem: string | null = null) => ({
  id,
  group: "x",
  stem,
  loudness_lufs,
});

describe("loudness matching", () => {
  it("turns all down to the softest, and nothing up", () => {
    const gains = matchingGains([version("original", -18), version("mix", -16.5), version("master", -9)]);
    expect([...gains]).toEqual([
      ["original", 0],
      ["mix", -1.5],
      ["master", -9],
    ]);
  });

  it("compares a stem with what was made of it only", () => {
    const gains = matchingGains([version("original", -14), version("stems:bass", -30, "bass"), version("r:bass", -28, "bass")]);
    expect(gains.get("original")).toBe(0);
    expect(gains.get("stems:bass")).toBe(0);
    expect(gains.get("r:bass")).toBe(-2);
  });

  it("matches nothing to silence, nor to what is not known", () => {
    const gains = matchingGains([version("original", -14), version("silent", -70), version("unknown", null)]);
    expect([...gains.values()]).toEqual([0, 0, 0]);
  });

  it("counts amplitude in decibels", () => {
    expect(factor(0)).toBe(1);
    expect(factor(-20)).toBeCloseTo(0.1, 12);
  });
});

it("blends with equal power: the ends are one alone, and powers sum to 1 between them", () => {
  expect(equalPower(0)).toEqual([1, 0]);
  expect(equalPower(1)).toEqual([0, 1]);
  expect(equalPower(0.36)).toEqual([0.8, 0.6]);
});
