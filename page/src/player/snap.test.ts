import { expect, it } from "vitest";
import { firstNotBefore, nearest, snapped } from "./snap.ts";

const beats = [1, 2, 3];

it("draws a time to the nearest mark within reach", () => {
  expect(snapped(1.9, beats, 0.25)).toBe(2);
  expect(snapped(2.1, beats, 0.25)).toBe(2);
  expect(snapped(2.5, beats, 0.25)).toBe(2.5);
});

it("knows marks beyond both ends", () => {
  expect(nearest(0, beats)).toBe(1);
  expect(nearest(9, beats)).toBe(3);
  expect(firstNotBefore(2, beats)).toBe(1);
  expect(firstNotBefore(9, beats)).toBe(3);
});

it("leaves a time alone where there are no marks", () => {
  expect(snapped(1.5, [], 10)).toBe(1.5);
});
