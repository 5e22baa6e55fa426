import { expect, it } from "vitest";
import { rulerClock } from "./rulerClock.ts";
import { following, marks, moved, tileZoom, toPixels, within, zoomed } from "./view.ts";

it("zooms about a time that stays where it is", () => {
  const view = zoomed({ start_s: 0, end_s: 100 }, 0.5, 40, 100);
  expect(view).toEqual({ start_s: 20, end_s: 70 });
  expect(toPixels(40, view, 1000)).toBe(400);
});

it("never leaves the track", () => {
  expect(within({ start_s: -5, end_s: 5 }, 100)).toEqual({ start_s: 0, end_s: 10 });
  expect(moved({ start_s: 80, end_s: 90 }, 50, 100)).toEqual({ start_s: 90, end_s: 100 });
  expect(zoomed({ start_s: 0, end_s: 50 }, 8, 10, 100)).toEqual({ start_s: 0, end_s: 100 });
});

it("turns the page where the playhead leaves it", () => {
  const view = { start_s: 0, end_s: 10 };
  expect(following(view, 9.9, 100)).toBe(view);
  expect(following(view, 10, 100)).toEqual({ start_s: 9.5, end_s: 19.5 });
});

it("marks three hours and a tenth of a second alike: a handful", () => {
  expect(marks({ start_s: 0, end_s: 10_800 }, 1000).times.length).toBeLessThan(14);
  expect(marks({ start_s: 5, end_s: 5.1 }, 1000)).toMatchObject({ step: 0.01 });
  expect(rulerClock(3723, 60)).toBe("1:02:03");
  expect(rulerClock(59.999, 0.01)).toBe("1:00.00");
});

it("takes a few tiles for the view, whatever its length", () => {
  for (const end_s of [2, 20, 200, 10_800]) {
    const zoom = tileZoom({ start_s: 0, end_s }, 1024, 5, 512, 14);
    expect(end_s / (5 * 2 ** zoom)).toBeLessThan(4);
  }
});
