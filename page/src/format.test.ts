import { expect, test } from "vitest";
import { about, clock, count, measure, musical, size, spoken, typeset, words } from "./format.ts";

test("a length is told as clocks tell it, with hours only where there are any", () => {
  expect(clock(0)).toBe("0:00");
  expect(clock(59.6)).toBe("1:00"); // no 0:60
  expect(clock(187)).toBe("3:07");
  expect(clock(3723)).toBe("1:02:03");
  expect(clock(null)).toBe("–");
  expect(clock(Number.NaN)).toBe("–");
});

test("how long it takes is told no finer than it is known", () => {
  expect(about(2)).toBe("about 5 s");
  expect(about(42)).toBe("about 40 s");
  expect(about(57)).toBe("about 1 min");
  expect(about(200)).toBe("about 3 min");
  expect(about(3600)).toBe("about 1 h");
  expect(about(7800)).toBe("about 2 h 10 min");
});

test("sizes are in powers of a thousand and never say 1000 of a unit", () => {
  expect(size(0)).toBe("0 B");
  expect(size(999)).toBe("999 B");
  expect(size(999_999)).toBe("1.0 MB");
  expect(size(1_300_000_000)).toBe("1.3 GB");
  expect(size(84_000_000)).toBe("84 MB");
});

test("measures have a true minus, and none for what is not known", () => {
  expect(measure(-14, "LUFS")).toBe("−14.0 LUFS");
  expect(measure(0.25, "dB", 2)).toBe("0.25 dB");
  expect(measure(null, "dB")).toBe("–");
});

test("one is told in the singular, thousands with a comma", () => {
  expect(count(1, "track")).toBe("1 track");
  expect(count(10_000, "track")).toBe("10,000 tracks");
  expect(words("restored_stems")).toBe("restored stems");
});

test("a line of the server's has a minus in front of numbers, and hyphens elsewhere", () => {
  expect(typeset("-13.4 LUFS, 63 Hz at -4 dB (-0.5), htdemucs-2, look-ahead")).toBe(
    "−13.4 LUFS, 63 Hz at −4 dB (−0.5), htdemucs-2, look-ahead",
  );
});

test("keys and chords have sharps and flats, and words keep their letters", () => {
  expect(["F# minor", "Bb major", "Ebm7/Bb", "Absus4", "Gbmaj7", "Dbdim", "A minor", "B"].map(musical)).toEqual([
    "F♯ minor",
    "B♭ major",
    "E♭m7/B♭",
    "A♭sus4",
    "G♭maj7",
    "D♭dim",
    "A minor",
    "B",
  ]);
  expect(musical("Abel and Ebony, take #3")).toBe("Abel and Ebony, take #3");
  expect(spoken("Bb major")).toBe("B flat major");
  expect(spoken("F# minor")).toBe("F sharp minor");
});
