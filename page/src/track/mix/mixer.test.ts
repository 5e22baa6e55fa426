import { expect, it } from "vitest";
import type { Version } from "../../api/schema.ts";
import { asBrief, asMixed, levelText, upToDate } from "./mixer.ts";

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
    loudness_range_lu: null,
    true_peak_dbtp: -3,
    bandwidth_hz: null,
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

it("asks the brief for what was moved, on top of the place that a stem has by itself", () => {
  const mixed = asMixed([stem("stems:bass", "stems", -2), stem("stems:drums", "stems", 0), stem("stems:vocals", "stems", 0)]);
  const moved = mixed.map((strip) => {
    if (strip.stem === "bass") return { ...strip, level_db: 4 };
    return strip.stem === "drums" ? { ...strip, mute: true, width: 2 } : { ...strip, width: 0 };
  });
  // Of the −3 dB that the plan wished for the bass, −1 is what the brief asks for: by itself it stands at −2.
  const asked = asBrief(moved, mixed, (name) => (name === "bass" ? -3 : 0), (name) => (name === "mixing.gains_db.bass" ? -1 : null));
  expect(asked).toEqual({
    "mixing.gains_db.bass": 6,
    "mixing.gains_db.drums": -40,
    "mixing.width_db.drums": 6,
    "mixing.width_db.vocals": -24,
  });
  expect(asBrief(mixed, mixed, () => 0, () => null)).toEqual({});
});

it("asks for the same again once that is applied, however far the plan could go", () => {
  const moved = asMixed([stem("stems:bass", "stems", 0)]).map((strip) => ({ ...strip, level_db: 6 }));
  const once = asBrief(moved, asMixed([stem("stems:bass", "stems", 0)]), () => 0, () => null);
  const bounded = asMixed([stem("stems:bass", "stems", 1.5)]); // of the 6 dB that are wished
  expect(asBrief(moved, bounded, () => 6, (name) => once[name])).toEqual(once);
});
