import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Engine, type Voice } from "./engine.ts";
import { RATE, SEGMENT_FRAMES } from "./grid.ts";
import type { Fetcher } from "./segments.ts";

function voice(id: string): Voice {
  return { id, level: 1, width: 1 };
}

/** A clock and what is connected to it, without any sound. */
class Param {
  value = 1;
  setValueAtTime() {}
  linearRampToValueAtTime() {}
  setTargetAtTime() {}
}

class Node {
  gain = new Param();
  connect(to: unknown) {
    return to;
  }
  disconnect() {}
  start() {}
  stop() {}
}

class Context {
  currentTime = 0;
  destination = new Node();
  createBuffer(channels: number, length: number) {
    const data = new Float32Array(0); // what is in it is nobody's business here
    return { length, numberOfChannels: channels, getChannelData: () => data, copyToChannel: () => undefined };
  }
  decodeAudioData() {
    return Promise.resolve(this.createBuffer(2, SEGMENT_FRAMES));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  for (const name of ["GainNode", "ChannelSplitterNode", "ChannelMergerNode", "AudioBufferSourceNode"]) {
    vi.stubGlobal(name, Node);
  }
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("never stands still without a word: what is not answered is told, and may be played again", async () => {
  const ANSWER_MS = 100;
  const context = new Context();
  let requests = 0;
  const fetcher: Fetcher = (_version, _segment, signal) =>
    new Promise((answer, fail) => {
      requests += 1;
      signal.addEventListener("abort", () => fail(signal.reason));
      if (requests % 25 === 0 && requests <= 75) return; // never
      setTimeout(() => answer({ data: new ArrayBuffer(1), lead: 0, frames: SEGMENT_FRAMES }), ANSWER_MS);
    });
  const engine = new Engine(context as unknown as BaseAudioContext, fetcher);
  const ids = Array.from({ length: 9 }, (_, number) => `version ${number}`);
  const minutes = 20 * 60 * RATE;
  engine.load(
    ids.map((id) => ({ id, revision: "", offset: 0, total: minutes })),
    minutes,
  );
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    context.currentTime += ms / 1000;
    engine.tick();
  };
  let recent = ids.slice(0, 3);
  engine.play(0);
  for (let press = 0; press < 250; press += 1) {
    const id = ids[(press * 5) % ids.length] as string;
    recent = [id, ...recent.filter((one) => one !== id)].slice(0, 4);
    engine.hear([voice(id)], recent.map(voice));
    if (press % 7 === 6) engine.seek(engine.position + 5 * RATE);
    await pass(40);
  }
  for (let round = 0; round < 150 && engine.state === "waiting"; round += 1) await pass(100);
  if (engine.state === "failed") {
    expect(engine.failure).toEqual(new Error("The server does not answer."));
    await pass(3000);
    engine.play();
    await pass(1000);
  }
  expect(engine.state).toBe("playing");
  const before = engine.position;
  for (let round = 0; round < 100; round += 1) await pass(100);
  expect(engine.position - before).toBeGreaterThan(9 * RATE);
  engine.close();
});
