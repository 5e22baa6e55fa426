import { describe, expect, it } from "vitest";
import { choosing, EMPTY, likeOf, nextSeed, soundsCanPlay } from "./draft.ts";

describe("what is chosen beside the words", () => {
  it("counts until it is let go, and null is a choice: that it is assumed", () => {
    const chosen = choosing(EMPTY, { bars: 4, duration_s: null });
    expect(chosen.asked).toEqual({ bars: 4, duration_s: null });
    expect(choosing(chosen, { bars: undefined, duration_s: undefined }).asked).toEqual({});
    expect(EMPTY.asked).toEqual({});
  });
});

describe("another seed", () => {
  it("is the next one, and after the largest the first", () => {
    expect(nextSeed(0)).toBe(1);
    expect(nextSeed(2 ** 31 - 1)).toBe(0);
  });
});

describe("a reference's own sounds", () => {
  it("can play where there is a reference, a track or a file, and by the composer alone", () => {
    const file = new Blob();
    expect(soundsCanPlay(EMPTY, null)).toBe(false);
    expect(soundsCanPlay(EMPTY, file)).toBe(true);
    expect(soundsCanPlay({ ...EMPTY, reference: "night" }, null)).toBe(true);
    expect(soundsCanPlay({ ...EMPTY, reference: "night", engine: "musicgen-style" }, file)).toBe(false);
  });
});

describe("a track's reference", () => {
  it("is sent again where it is a track, and lost where it was a file", () => {
    const night = { name: "Night", track: "night" };
    const words = { ...EMPTY, reference: "night" };
    expect(likeOf({ words, reference: night })).toEqual({ ...night, lost: false });
    expect(likeOf({ words: EMPTY, reference: { name: "like.wav", track: null } })?.lost).toBe(true);
    expect(likeOf({ words: EMPTY, reference: null })).toBeNull();
  });
});
