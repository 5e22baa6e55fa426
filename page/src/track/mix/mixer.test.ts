import { expect, it } from "vitest";
import type { Version } from "../../api/schema.ts";
import { asMixed, levelText, upToDate } from "./mixer.ts";

function stem(id: string, group: Version["group"], gain_db: number | null, current = true): Version {
  return {
    id,
    label: id,
    group,
    stem: id.split(":")[1] ?? null,
    duration_s: 10,
    sample_rate: 48_000,
    channels: 2,
    loudness_lufs: -20,
    true_peak_dbtp: -3,
    offset_s: 0,
    gain_db,
    generated: false,
    current,
    made_at: "",
    settings: {},
    url: "",
  };
}

const versions = [stem("stems:bass", "stems", -2), stem("restored_stems:bass", "restored", -2), stem("stems:drums", "stems", null)];

it("begins as the mix has it, with restored stems where there are some", () => {
  const strips = asMixed(versions);
  expect(strips.map((strip) => [strip.version, strip.level_db])).toEqual([
    ["restored_stems:bass", -2],
    ["stems:drums", 0],
  ]);
});

it("keeps what was set when the track has changed, as far as it is still there", () => {
  const set = asMixed(versions).map((strip) => ({ ...strip, level_db: 3 }));
  const later = upToDate(set, [stem("stems:bass", "stems", -2), stem("stems:piano", "stems", 1)]);
  expect(later.map((strip) => [strip.version, strip.level_db])).toEqual([
    ["stems:bass", 3],
    ["stems:piano", 1],
  ]);
});

it("leaves results of earlier briefs out", () => {
  expect(asMixed([stem("stems:bass@0123456789abcdef", "stems", 0, false)])).toEqual([]);
});

it("writes levels with a sign", () => {
  expect(levelText(2)).toBe("+2.0 dB");
  expect(levelText(-1.5)).toBe("−1.5 dB");
  expect(levelText(-60)).toBe("−∞ dB");
});
