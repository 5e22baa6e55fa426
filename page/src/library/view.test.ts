import { expect, test } from "vitest";
import { extents } from "./extents.ts";
import { briefOf } from "./presets.ts";
import { detailOf, remedyOf } from "./states.ts";
import { EVERYTHING, parametersOf, sortedBy, type View, viewOf } from "./view.ts";

test("a view comes back from the address it was put into", () => {
  const view: View = { search: "a & b=c", state: "not accepted", sort: "tempo", descending: true };
  expect(viewOf(new URLSearchParams(parametersOf(view).toString()))).toEqual(view);
  expect(parametersOf(EVERYTHING).toString()).toBe("");
});

test("nonsense in an address is as if it were not there", () => {
  expect(viewOf(new URLSearchParams("state=broken&sort=constructor&descending=1"))).toEqual(EVERYTHING);
});

test("a column pressed once sorts the way that is useful, pressed again the other way round", () => {
  const once = sortedBy(EVERYTHING, "score");
  expect([once.sort, once.descending]).toEqual(["score", true]);
  expect(sortedBy(once, "score").descending).toBe(false);
  expect(sortedBy(once, "title")).toMatchObject({ sort: "title", descending: false });
});

test("full scale fills the height, silence is a line of a pixel within it", () => {
  expect(extents(new Int8Array([-128, 127, 0, 0]), 40)).toEqual([
    { top: expect.closeTo(0, 0), height: expect.closeTo(40, 0) },
    { top: 20, height: 1 },
  ]);
  expect(extents(new Int8Array([-128, -128]), 40)).toEqual([{ top: 39, height: 1 }]);
});

test("a preset is a brief of the three stages that have one; without one nothing is said", () => {
  const preset = "aggressive";
  expect(JSON.parse(briefOf(preset) ?? "")).toEqual({ restoration: { preset }, mixing: { preset }, mastering: { preset } });
  expect(briefOf("as set")).toBeNull();
});

test("every state that can be mended has its word, and none that is at work or done", () => {
  const words = ["failed", "stopped", "unfinished", "behind", "waiting"] as const;
  expect(words.map(remedyOf)).toEqual(["Retry", "Retry", "Process", "Update", "Process"]);
  expect((["running", "queued", "done", "not accepted"] as const).map(remedyOf)).toEqual([null, null, null, null]);
});

test("a track that runs tells its stage, one that waits its place, others their reason", () => {
  const track = { stage: "mix_plan", progress: 0.5, place: 3, expected_seconds: 240, reason: "why" };
  const of = (state: string) => detailOf({ ...track, state } as Parameters<typeof detailOf>[0]);
  expect(of("running")).toBe("planning the mix, 50 %");
  expect(of("queued")).toBe("3rd in the queue, about 4 min");
  expect(of("failed")).toBe("why");
});
