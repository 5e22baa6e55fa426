import { describe, expect, it, vi } from "vitest";
import { type Encoded, Segments } from "./segments.ts";

const encoded: Encoded = { data: new ArrayBuffer(1), lead: 0, frames: 10 };
const sound = { length: 10, numberOfChannels: 2 }; // 80 bytes
const decoder = () => Promise.resolve(sound);

/** Three that are never answered. */
function deafAtFirst(_: string, number: number, signal: AbortSignal): Promise<Encoded> {
  if (number > 2) return Promise.resolve(encoded);
  return new Promise((_answer, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
}

describe("segments", () => {
  it("are fetched once, however often they are wanted", async () => {
    const fetcher = vi.fn(() => Promise.resolve(encoded));
    const segments = new Segments(fetcher, decoder);
    expect(segments.peek("a", 0)).toBeUndefined();
    await Promise.all([segments.want("a", 0), segments.want("a", 0)]);
    await segments.want("a", 0);
    expect(fetcher).toHaveBeenCalledTimes(1);
    expect(segments.peek("a", 0)).toBe(sound);
  });

  it("stay within their memory: those that were not used for longest go", async () => {
    const segments = new Segments(() => Promise.resolve(encoded), decoder, 240);
    for (const number of [0, 1, 2]) await segments.want("a", number);
    segments.peek("a", 0);
    await segments.want("a", 3);
    expect(segments.size).toBe(240);
    expect(segments.peek("a", 1)).toBeUndefined();
    expect(segments.peek("a", 0)).toBe(sound);
  });

  it("are fetched a few at a time, urgent ones first", async () => {
    const asked: number[] = [];
    const answers: (() => void)[] = [];
    const fetcher = (_: string, number: number) => {
      asked.push(number);
      return new Promise<Encoded>((answer) => answers.push(() => answer(encoded)));
    };
    const segments = new Segments(fetcher, decoder);
    for (const number of [0, 1, 2, 3, 4]) void segments.want("a", number);
    const urgent = segments.want("a", 5, true);
    expect(asked).toEqual([0, 1, 5]);
    answers[0]?.();
    await segments.want("a", 0);
    expect(asked).toEqual([0, 1, 5]);
    answers[2]?.();
    expect(await urgent).toBe(sound);
    await vi.waitFor(() => expect(asked).toEqual([0, 1, 5, 2]));
  });

  it("behind a version's end are known to be none", async () => {
    const segments = new Segments(() => Promise.resolve(null), decoder);
    expect(await segments.want("a", 9)).toBeNull();
    expect(segments.peek("a", 9)).toBeNull();
  });

  it("that could not be had are not asked for again at once, but later", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const fetcher = vi.fn(() => Promise.reject(new Error("gone")));
    const segments = new Segments(fetcher, decoder);
    await expect(segments.want("a", 0)).rejects.toThrow("gone");
    await expect(segments.want("a", 0)).rejects.toThrow("gone");
    expect(fetcher).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3000);
    await expect(segments.want("a", 0)).rejects.toThrow("gone");
    expect(fetcher).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });

  it("that are given up before their turn are not fetched, and are when they are wanted again", async () => {
    const asked: number[] = [];
    const answers: (() => void)[] = [];
    const fetcher = (_: string, number: number) => {
      asked.push(number);
      return new Promise<Encoded>((answer) => answers.push(() => answer(encoded)));
    };
    const segments = new Segments(fetcher, decoder);
    const passed = [0, 1, 2, 3, 4, 5].map((number) => segments.want("a", number, true));
    const outcomes = Promise.allSettled(passed);
    segments.giveUp();
    const wanted = segments.want("a", 5, true);
    answers[0]?.();
    await segments.want("a", 0);
    await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 5]));
    for (const answer of answers) answer();
    expect(await wanted).toBe(sound);
    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected", "rejected"]);
  });

  it("that are never answered make room for others after a while", async () => {
    vi.useFakeTimers();
    const segments = new Segments(deafAtFirst, decoder);
    const stuck = Promise.allSettled([0, 1, 2].map((number) => segments.want("a", number, true)));
    const next = segments.want("a", 3, true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await next).toBe(sound);
    expect((await stuck).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    vi.useRealTimers();
  });
});
