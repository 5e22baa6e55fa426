import { expect, test } from "vitest";
import { withJob } from "../api/events.ts";
import type { Job } from "../api/schema.ts";
import { inOrder, lineOf, ordinal } from "./queue.ts";

function job(id: string, facts: Partial<Job>): Job {
  return {
    job_id: id,
    track: null,
    title: id,
    status: "queued",
    progress: 0,
    stage: null,
    fetching: null,
    place: null,
    expected_seconds: null,
    reason: null,
    asked_at: "2026-11-26T10:00:00+00:00",
    ended_at: null,
    track_url: null,
    results: [],
    ...facts,
  };
}

test("what is at work comes first, the furthest on top, then the queue by place; what ended is not in it", () => {
  const jobs = [
    job("late", { asked_at: "2026-11-26T11:00:00+00:00" }),
    job("second", { place: 2 }),
    job("done", { status: "completed" }),
    job("begun", { status: "processing", progress: 0.1 }),
    job("first", { place: 1 }),
    job("early", {}),
    job("nearly", { status: "processing", progress: 0.9 }),
    job("broken", { status: "failed" }),
  ];
  expect(inOrder(jobs).map((one) => one.title)).toEqual(["nearly", "begun", "first", "second", "early", "late"]);
  expect(jobs[0]?.title).toBe("late"); // what is given stays as it is
});

test("a job is told in one line, and what is not known is left out", () => {
  const atWork = { status: "processing", stage: "restored_stems", progress: 0.617, expected_seconds: 42 } as const;
  expect(lineOf(job("a", atWork))).toBe("restoring stems, 62 %, about 40 s left");
  const fetching = { ...atWork, fetching: "pytorch_model.bin, 1203 of 6170 MB" };
  expect(lineOf(job("a", fetching))).toBe("restoring stems, 62 %, fetching pytorch_model.bin, 1203 of 6170 MB, about 40 s left");
  expect(lineOf(job("a", { status: "processing" }))).toBe("starting, 0 %");
  expect(lineOf(job("a", { place: 1, expected_seconds: 180 }))).toBe("next in the queue, about 3 min");
  expect(lineOf(job("a", {}))).toBe("in the queue");
});

test("places are told as English has them", () => {
  expect([2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal)).toEqual(
    ["2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th"],
  );
});

test("a job that changed takes its own place, one that is new comes on top", () => {
  const known = [job("a", {}), job("b", {})];
  expect(withJob(known, job("b", { progress: 0.5 })).map((one) => [one.title, one.progress])).toEqual([["a", 0], ["b", 0.5]]);
  expect(withJob(known, job("c", {})).map((one) => one.title)).toEqual(["c", "a", "b"]);
});
