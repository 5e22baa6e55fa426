import { describe, expect, it } from "vitest";
import type { CompositionReading } from "../api/schema.ts";
import { originOfField, remarkOf, rowsOf, secondsOf, spelt, valueOf } from "./told.ts";

function reading(field: string, value: string, how: CompositionReading["how"], words = ""): CompositionReading {
  return { field, value, how, words };
}

describe("what was understood", () => {
  it("is told with its unit and without the names of programs", () => {
    expect(valueOf(reading("bpm", "116 to 128", "stated"))).toBe("116 to 128 BPM");
    expect(valueOf(reading("duration_s", "200", "stated"))).toBe("3:20");
    expect(valueOf(reading("instruments", "electric_piano, drums", "stated"))).toBe("electric piano, drums");
    expect(valueOf(reading("structure", "intro 8, pre_chorus 4", "assumed"))).toBe("intro 8, pre-chorus 4");
    expect(valueOf(reading("sections", "pre_chorus 4 0.25, drop 8 1", "stated"))).toBe("pre-chorus 4, drop 8");
    expect(valueOf(reading("players", "drums drums, electric_piano chords", "stated"))).toBe("drums, electric piano (chords)");
    expect(valueOf(reading("swing", "0.5", "assumed"))).toBe("straight");
    expect(spelt("rnb_soul")).toBe("R&B, soul");
  });

  it("is told as from the words where it is taken out of a range that they have", () => {
    const readings = [reading("bpm", "116 to 128", "stated", "around 122 bpm"), reading("bpm", "121", "assumed")];
    expect(originOfField(readings, "bpm")).toBe("from “around 122 bpm”");
    expect(originOfField([reading("bpm", "121", "assumed")], "bpm")).toBe("assumed");
    expect(originOfField([reading("bpm", "121", "stated", "said beside the prompt")], "bpm")).toBe("your choice");
    expect(originOfField([reading("bpm", "121", "reference", "Night")], "bpm")).toBe("heard in “Night”");
    expect(originOfField([], "mood")).toBe("");
  });

  it("is kept apart from what is assumed", () => {
    const readings = [reading("genre", "techno", "stated", "techno"), reading("metre", "4/4", "assumed")];
    expect(rowsOf(readings, false).map(({ name }) => name)).toEqual(["Genre"]);
    expect(rowsOf(readings, true).map(({ name, value }) => [name, value])).toEqual([["Metre", "4/4"]]);
    expect(rowsOf(readings, true, ["metre"])).toEqual([]);
  });
});

describe("a remark", () => {
  it("calls fields as the page does, and leaves names alone", () => {
    expect(remarkOf("bpm: 60 bpm against fast; none of them was taken")).toBe("Tempo: 60 bpm against fast; none of them was taken");
    expect(remarkOf("H sharp: no key")).toBe("H sharp: no key");
  });
});

describe("a length", () => {
  it("is read as minutes and seconds, or seconds alone", () => {
    expect(secondsOf("3:20")).toBe(200);
    expect(secondsOf(" 44 ")).toBe(44);
    expect(secondsOf("1:00:01")).toBe(3601);
  });

  it("is none where it can be read in two ways, or in none", () => {
    for (const text of ["", "3:2", "3:60", "three", "-3", "1.5", "1:2:3:4", "3:"]) expect(secondsOf(text)).toBeNull();
  });
});
