/** Decoded segments: fetched once, a few at a time, as many kept as memory allows. */
import { SEGMENT_FRAMES } from "./grid.ts";

/** What the server sends of a segment; see resonate_studio/hearing/segments.py. */
export interface Encoded {
  data: ArrayBuffer;
  /** Frames before the segment's own. */
  lead: number;
  /** Of its own. */
  frames: number;
}

/** null: the version ends before this segment. */
export type Fetcher = (version: string, segment: number, signal: AbortSignal) => Promise<Encoded | null>;

/** AudioBuffer, or what stands for one in a test. length: in frames. */
export interface Sound {
  readonly length: number;
  readonly numberOfChannels: number;
}

/** Of exactly the segment's own frames. */
export type Decoder<S extends Sound> = (encoded: Encoded) => Promise<S>;

interface Wanted<S> {
  version: string;
  segment: number;
  key: string;
  urgent: boolean;
  answer: (sound: S | null) => void;
  fail: (reason: unknown) => void;
}

const AT_ONCE = 3; // a browser has six connections to a server, and one is the events'
const AT_ONCE_AHEAD = 2; // of those that are not urgent, so that a click finds one free
const AGAIN_AFTER_MS = 2000; // what failed is not asked for at every turn
const ANSWERED_MS = 10_000; // three that are never answered would keep all others waiting
const BYTES_A_SAMPLE = 4;

export class Segments<S extends Sound> {
  private readonly kept = new Map<string, S | null>(); // the one that was used last is the last
  private readonly coming = new Map<string, Promise<S | null>>();
  private readonly failed = new Map<string, { reason: unknown; until: number }>();
  private readonly queue: Wanted<S>[] = [];
  private readonly leaving = new AbortController();
  private readonly fetcher: Fetcher;
  private readonly decoder: Decoder<S>;
  private readonly mostBytes: number;
  private bytes = 0;
  private running = 0;

  constructor(fetcher: Fetcher, decoder: Decoder<S>, mostBytes = 160e6) {
    this.fetcher = fetcher;
    this.decoder = decoder;
    this.mostBytes = mostBytes;
  }

  /** The segment if it is here; null: the version has none of that number; undefined: not here yet. */
  peek(version: string, segment: number): S | null | undefined {
    const key = keyOf(version, segment);
    const sound = this.kept.get(key);
    if (sound === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, sound);
    return sound;
  }

  /** The same, fetched where need be; urgent ones first. Rejects as the fetcher does, and may be asked for again. */
  want(version: string, segment: number, urgent = false): Promise<S | null> {
    const here = this.peek(version, segment);
    if (here !== undefined) return Promise.resolve(here);
    const key = keyOf(version, segment);
    const underWay = this.coming.get(key);
    if (underWay !== undefined) {
      const waiting = this.queue.find((one) => one.key === key);
      if (waiting !== undefined && urgent) waiting.urgent = true;
      return underWay;
    }
    const failed = this.failed.get(key);
    if (failed !== undefined && performance.now() < failed.until) return Promise.reject(failed.reason);
    const promise = new Promise<S | null>((answer, fail) => {
      this.queue.push({ version, segment, key, urgent, answer, fail });
    });
    this.coming.set(key, promise);
    this.next();
    return promise;
  }

  /** What waits is not fetched, unless it is wanted again: who goes through a track quickly would else stand in line
   * behind all that was passed. */
  giveUp(): void {
    for (const waiting of this.queue.splice(0)) {
      this.coming.delete(waiting.key);
      waiting.fail(new Error("It is not wanted any more."));
    }
  }

  /** Nothing more is fetched. */
  close(): void {
    this.leaving.abort();
    this.queue.length = 0;
    this.kept.clear();
    this.coming.clear();
  }

  get size(): number {
    return this.bytes;
  }

  private next(): void {
    while (this.running < AT_ONCE && this.queue.length > 0) {
      const first = this.queue.findIndex((one) => one.urgent);
      if (first < 0 && this.running >= AT_ONCE_AHEAD) return;
      const [wanted] = this.queue.splice(Math.max(0, first), 1);
      this.running += 1;
      void this.bring(wanted as Wanted<S>);
    }
  }

  private async bring(wanted: Wanted<S>): Promise<void> {
    const stop = new AbortController();
    const leave = () => stop.abort();
    this.leaving.signal.addEventListener("abort", leave);
    const late = setTimeout(() => stop.abort(new Error("The server does not answer.")), ANSWERED_MS);
    try {
      const encoded = await this.fetcher(wanted.version, wanted.segment, stop.signal);
      const sound = encoded === null ? null : await this.decoder(encoded);
      this.failed.delete(wanted.key);
      this.keep(wanted.key, sound);
      wanted.answer(sound);
    } catch (reason) {
      this.failed.set(wanted.key, { reason, until: performance.now() + AGAIN_AFTER_MS });
      wanted.fail(reason);
    } finally {
      clearTimeout(late);
      this.leaving.signal.removeEventListener("abort", leave);
      this.coming.delete(wanted.key);
      this.running -= 1;
      this.next();
    }
  }

  private keep(key: string, sound: S | null): void {
    this.kept.set(key, sound);
    this.bytes += bytesOf(sound);
    for (const [oldest, old] of this.kept) {
      if (this.bytes <= this.mostBytes || oldest === key) break;
      this.kept.delete(oldest);
      this.bytes -= bytesOf(old);
    }
  }
}

function keyOf(version: string, segment: number): string {
  return `${version}/${segment}`;
}

function bytesOf(sound: Sound | null): number {
  return sound === null ? 0 : sound.length * sound.numberOfChannels * BYTES_A_SAMPLE;
}

/** Decodes and leaves the lead and the tail out. The context's rate must be 48 kHz. */
export function decoderOf(context: BaseAudioContext): Decoder<AudioBuffer> {
  return async ({ data, lead, frames }) => {
    const whole = await context.decodeAudioData(data);
    const length = Math.min(frames, SEGMENT_FRAMES);
    const own = context.createBuffer(whole.numberOfChannels, Math.max(1, length), whole.sampleRate);
    for (let channel = 0; channel < whole.numberOfChannels; channel += 1) {
      own.copyToChannel(whole.getChannelData(channel).subarray(lead, lead + length), channel);
    }
    return own;
  };
}

/** From the studio's API; see sourceOf in lane.ts. */
export function fetcherOf(track: string): Fetcher {
  return async (source, segment, signal) => {
    const version = source.split(" ")[0] as string; // behind it: when it was made
    const at = `/api/v1/tracks/${encodeURIComponent(track)}/audio/${encodeURIComponent(version)}/${segment}`;
    const response = await fetch(at, { signal });
    if (response.status === 404 && segment > 0) return null;
    if (!response.ok) throw new Error(`This version can't be heard: the server answered ${response.status}.`);
    return {
      data: await response.arrayBuffer(),
      lead: Number(response.headers.get("X-Lead-Frames")),
      frames: Number(response.headers.get("X-Frames")),
    };
  };
}
