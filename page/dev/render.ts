/** The player's engine in an OfflineAudioContext, so that what it gives can be looked at sample by sample.
 *
 * Bundled by resonate_tests/e2e/test_sample_lock.py, and no part of the page.
 */
import { Engine } from "../src/player/engine.ts";
import { RATE, SEGMENT_FRAMES } from "../src/player/grid.ts";
import type { Encoded } from "../src/player/segments.ts";

/** A version whose sample at frame n is factor · (n + 1 − offset) / 2²³, which a float of 32 bits holds exactly: each
 * sample tells which frame it is. opus: segments as the server sends them, by number, instead. */
interface Signal {
  id: string;
  factor: number;
  offset: number;
  frames: number;
  opus?: { data: string; lead: number; frames: number }[];
}

interface Step {
  at: number; // in frames of the clock, to be rounded to a block
  hear?: string[];
  ready?: string[];
  level?: number;
  dip?: boolean;
  seek?: number;
  loop?: [number, number] | null;
  pause?: boolean;
}

const BLOCK = 128;
const LEAD = 3840;
const TICK = Math.round((RATE * 0.5) / BLOCK) * BLOCK;
const HEADER = 44;

export async function render(signals: Signal[], steps: Step[], frames: number): Promise<string> {
  const context = new OfflineAudioContext({ numberOfChannels: 2, length: frames, sampleRate: RATE });
  let decoding = 0;
  const decode = context.decodeAudioData.bind(context);
  context.decodeAudioData = async (data) => {
    decoding += 1;
    try {
      return await decode(data);
    } finally {
      decoding -= 1;
    }
  };
  const engine = new Engine(context, (version, segment) => {
    const signal = signals.find((one) => version.startsWith(`${one.id} `)) as Signal;
    return Promise.resolve(signal.opus === undefined ? wave(signal, segment) : opus(signal, segment));
  });
  engine.load(
    signals.map(({ id, offset, frames: total }) => ({ id, revision: "", offset, total })),
    Math.min(...signals.map((signal) => signal.frames - signal.offset)),
  );
  const settle = async () => {
    // However long it takes on a busy machine; what was decoded may let a next one in, in a task of its own.
    for (let quiet = 0; quiet < 3; quiet = decoding === 0 ? quiet + 1 : 0) {
      await new Promise((later) => setTimeout(later, 10));
    }
    engine.tick();
  };
  const act = async (step: Step) => {
    const voices = (ids: string[]) => ids.map((id) => ({ id, level: step.level ?? 1, width: 1 }));
    if (step.loop !== undefined) engine.setLoop(step.loop && { start: step.loop[0], end: step.loop[1] });
    if (step.hear !== undefined) engine.hear(voices(step.hear), voices(step.ready ?? []), step.dip);
    if (step.seek !== undefined) engine.play(step.seek);
    if (step.pause) engine.pause();
    await settle();
  };
  for (const step of steps.filter((one) => one.at === 0)) await act(step);
  const stops = new Set<number>();
  for (let at = TICK; at < frames; at += TICK) stops.add(at);
  for (const step of steps) if (step.at > 0) stops.add(Math.round(step.at / BLOCK) * BLOCK);
  for (const at of stops) {
    void context.suspend(at / RATE).then(async () => {
      for (const step of steps) if (step.at > 0 && Math.round(step.at / BLOCK) * BLOCK === at) await act(step);
      engine.tick();
      await settle();
      await context.resume();
    });
  }
  const rendered = await context.startRendering();
  return toBase64(new Uint8Array(rendered.getChannelData(0).slice().buffer));
}

function wave({ factor, offset, frames }: Signal, segment: number): Encoded | null {
  const first = segment * SEGMENT_FRAMES;
  const own = Math.min(SEGMENT_FRAMES, frames - first);
  if (own <= 0) return null;
  const length = LEAD + own + 960;
  const data = new ArrayBuffer(HEADER + 4 * length);
  const view = new DataView(data);
  const text = (at: number, letters: string) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, data.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 3, true); // floats
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 32, true);
  text(36, "data");
  view.setUint32(40, 4 * length, true);
  for (let index = 0; index < length; index += 1) {
    view.setFloat32(HEADER + 4 * index, (factor * (first - LEAD + index + 1 - offset)) / 2 ** 23, true);
  }
  return { data, lead: LEAD, frames: own };
}

function opus(signal: Signal, segment: number): Encoded | null {
  const sent = signal.opus?.[segment];
  if (sent === undefined) return null;
  const data = Uint8Array.from(atob(sent.data), (letter) => letter.charCodeAt(0)).buffer;
  return { data, lead: sent.lead, frames: sent.frames };
}

function toBase64(bytes: Uint8Array): string {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters);
}

Object.assign(globalThis, { render });
