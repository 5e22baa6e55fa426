import { describe, expect, it } from "vitest";
import { RATE, SEGMENT_FRAMES, cutLine, frameAt, pieces, plan } from "./grid.ts";

describe("what sounds when", () => {
  it("goes straight on to the track's end and no further", () => {
    const [line, cursor] = plan({ at: 1000, frame: 0 }, 5000, 2500, null);
    expect(line).toEqual([{ at: 1000, frame: 0, count: 2500 }]);
    expect(cursor).toEqual({ at: 3500, frame: 2500 });
  });

  it("goes round in a loop as often as there is time", () => {
    const [line, cursor] = plan({ at: 0, frame: 90 }, 35, 1000, { start: 80, end: 100 });
    expect(line).toEqual([
      { at: 0, frame: 90, count: 10 },
      { at: 10, frame: 80, count: 20 },
      { at: 30, frame: 80, count: 5 },
    ]);
    expect(cursor).toEqual({ at: 35, frame: 85 });
  });

  it("leaves a loop alone that is behind", () => {
    const [line] = plan({ at: 0, frame: 200 }, 50, 1000, { start: 80, end: 100 });
    expect(line).toEqual([{ at: 0, frame: 200, count: 50 }]);
  });

  it("does not hang on a loop without frames", () => {
    const [line] = plan({ at: 0, frame: 0 }, 10, 1000, { start: 5, end: 5 });
    expect(line).toEqual([{ at: 0, frame: 0, count: 10 }]);
  });

  it("can be asked which frame sounds", () => {
    const line = [
      { at: 0, frame: 90, count: 10 },
      { at: 10, frame: 80, count: 20 },
    ];
    expect(frameAt(line, 9)).toBe(99);
    expect(frameAt(line, 10)).toBe(80);
    expect(frameAt(line, 30)).toBeNull();
    expect(frameAt([], 3)).toBeNull();
    expect(cutLine(line, 15)).toEqual([
      { at: 0, frame: 90, count: 10 },
      { at: 10, frame: 80, count: 5 },
    ]);
  });
});

describe("pieces of segments", () => {
  it("are cut where a segment ends", () => {
    expect(pieces({ at: 0, frame: SEGMENT_FRAMES - 10, count: 30 }, 0, 60 * RATE)).toEqual([
      { at: 0, segment: 0, from: SEGMENT_FRAMES - 10, count: 10 },
      { at: 10, segment: 1, from: 0, count: 20 },
    ]);
  });

  it("come from later in a version that comes late", () => {
    expect(pieces({ at: 7, frame: 0, count: 5 }, 100, 1000)).toEqual([{ at: 7, segment: 0, from: 100, count: 5 }]);
  });

  it("begin with a version that comes early, and end with it", () => {
    expect(pieces({ at: 0, frame: 0, count: 50 }, -20, 1000)).toEqual([{ at: 20, segment: 0, from: 0, count: 30 }]);
    expect(pieces({ at: 0, frame: 90, count: 50 }, 0, 100)).toEqual([{ at: 0, segment: 0, from: 90, count: 10 }]);
    expect(pieces({ at: 0, frame: 100, count: 50 }, 0, 100)).toEqual([]);
  });
});
