import { expect, test } from "vitest";
import type { Version } from "../api/schema.ts";
import { fullName, inOrder, keysOf, measured, midiName, title } from "./labels.ts";

function version(id: string, group: Version["group"], current = true): Version {
  const stem = id.split("@")[0]?.split(":")[1] ?? null;
  return {
    id,
    label: group === "master" ? "Master" : id,
    group,
    stem,
    duration_s: 10,
    sample_rate: 48_000,
    channels: 2,
    loudness_lufs: -14,
    loudness_range_lu: null,
    true_peak_dbtp: -3,
    bandwidth_hz: null,
    offset_s: 0,
    gain_db: null,
    generated: false,
    current,
    made_at: "2026-11-26T10:00:00",
    settings: {},
    url: "",
  };
}

test("a setting's unit stands in brackets, and abbreviations as they are written", () => {
  expect(title("target_lufs")).toBe("Target (LUFS)");
  expect(title("ceiling_dbtp")).toBe("Ceiling (dBTP)");
  expect(title("midi")).toBe("MIDI");
  expect(title("db")).toBe("dB");
});

test("measures are told in people's words, with their units, and bounds as bounds", () => {
  expect(measured("flat_tops")).toBe("Clipped tops");
  expect(measured("snr_db")).toBe("Signal to noise, at least (dB)");
  expect(measured("metre_confidence")).toBe("Time signature, how sure (0 to 1)");
  expect(measured("quality_metallic")).toBe("Quality of sound: metallic");
  expect(measured("different_chords")).toBe("Different chords");
  expect(measured("vocals_si_sdr_db")).toBe("Vocals SI-SDR (dB)");
  expect(measured("tempo_bpm")).toBe("Tempo (BPM)");
});

test("a MIDI file says whether its notes are on the grid", () => {
  expect(midiName("bass.mid")).toBe("Bass, MIDI");
  expect(midiName("quantised/bass.mid")).toBe("Bass, MIDI, quantised");
});

test("a key is a version's whatever else there is, and a stem's is that which went into the mix", () => {
  const master = version("master", "master");
  const bass = version("stems:bass", "stems");
  expect([...keysOf([version("original", "original"), master, bass]).entries()].map(([key, one]) => [key, one.id])).toEqual([
    ["1", "original"],
    ["3", "master"],
    ["6", "stems:bass"],
  ]);
  const restored = version("restored_stems:bass", "restored");
  const keys = keysOf([bass, restored, master, version("master@0123456789abcdef", "master", false), version("mix", "mix")]);
  expect(keys.get("6")).toBe(restored);
  expect(keys.get("3")).toBe(master);
  expect([...keys.keys()]).toEqual(["2", "3", "6"]);
});

test("the original restored stands after the original, whose key it does not take, and earlier ones after the masters", () => {
  const whole = (id: string, group: Version["group"], current = true) => ({ ...version(id, group, current), stem: null });
  const versions = [
    whole("original", "original"),
    whole("restored_track", "original"),
    whole("mix", "mix"),
    whole("master", "master"),
    version("restored_stems:bass", "restored"),
    whole("restored_track@0123456789abcdef", "restored", false),
  ];
  const told = [...versions.slice(4), ...versions.slice(0, 4)];
  expect(inOrder(told).map((one) => one.id)).toEqual(versions.map((one) => one.id));
  expect(keysOf(versions).get("1")?.id).toBe("original");
  expect(keysOf(versions).get("2")?.id).toBe("mix");
});

test("an earlier result is told by when it was made and how loud it is", () => {
  expect(fullName(version("master@0123456789abcdef", "master", false))).toBe("Master of 26 Nov 2026, 10:00 (−14.0 LUFS)");
  expect(fullName(version("master", "master"))).toBe("Master");
});
