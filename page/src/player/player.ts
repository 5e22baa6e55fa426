/** The track page's player: an engine on a real context, and what a listener chose. */
import type { Music, Version } from "../api/schema.ts";
import { remember, remembered } from "../remembered.ts";
import { Engine, type EngineState, type Voice } from "./engine.ts";
import { type Loop, RATE, toFrames } from "./grid.ts";
import type { Played } from "./instruments.ts";
import { equalPower, factor, matchingGains } from "./loudness.ts";
import { type Fetcher, fetcherOf } from "./segments.ts";
import { snapped } from "./snap.ts";

export type Snap = "off" | "beats" | "sections";

/** Times in seconds. */
export interface Stretch {
  start_s: number;
  end_s: number;
}

/** A strip of the mixer. level_db: against the stem as it is. */
export interface Strip {
  version: string;
  level_db: number;
  width: number;
  mute: boolean;
  solo: boolean;
}

/** Two versions over one another. share: of the second, 0 to 1. */
export interface Blend {
  from: string;
  to: string;
  share: number;
}

export interface PlayerState {
  engine: EngineState;
  failure: unknown;
  /** The version that is heard, or will be as soon as it is there. */
  version: string;
  /** Whether the one that was asked for is what is heard. */
  settled: boolean;
  mixing: boolean;
  /** What is heard instead of `version`. */
  blend: Blend | null;
  /** A listening test is under way: nothing may tell what is heard. */
  blind: boolean;
  match: boolean;
  looping: boolean;
  region: Stretch | null;
  snap: Snap;
  volume: number;
}

const AT_REST = { state: "paused", failure: null, settled: true } as const;
const TICK_MS = 100;
const READY = 4; // versions that run along, beside the one that is heard
const SUSPEND_MS = 3000;
const SNAP_S = 0.25;
const DRAWN_FIRST_MS = 150;
const PICTURES_FIRST_MS = 1000; // what nobody has asked to hear yet lets them pass

export class Player {
  state: PlayerState;
  private readonly listeners = new Set<() => void>();
  private readonly fetcher: Fetcher;
  /** Made when something is to be heard, or once the page is drawn: a context takes a tenth of a second. */
  private made: { context: AudioContext; engine: Engine; timer: ReturnType<typeof setInterval> } | null = null;
  private duration_s = 0;
  private versions: readonly Version[] = [];
  private music: Music | null = null;
  private recent: string[] = [];
  private strips: readonly Strip[] = [];
  private pair: { a: string; b: string; heard: string } | null = null;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private ahead: ReturnType<typeof setTimeout> | undefined;

  constructor(track: string, fetcher: Fetcher = fetcherOf(track)) {
    this.fetcher = fetcher;
    this.state = {
      engine: "paused",
      failure: null,
      version: "original",
      settled: true,
      mixing: false,
      blend: null,
      blind: false,
      match: remembered("match", true),
      looping: false,
      region: null,
      snap: remembered<Snap>("snap", "beats"),
      volume: remembered("volume", 1),
    };
  }

  private get engine(): Engine {
    if (this.made === null) {
      const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
      const engine = new Engine(context, this.fetcher, () => this.tell());
      this.made = { context, engine, timer: setInterval(() => engine.tick(), TICK_MS) };
      engine.setVolume(loudnessOf(this.state.volume));
      engine.setLoop(this.loop());
      this.give();
    }
    return this.made.engine;
  }

  /** Versions as they are now; what is heard stays, if it is still there. */
  load(versions: readonly Version[], music: Music | null, duration_s: number): void {
    this.versions = versions;
    this.music = music;
    this.duration_s = duration_s;
    const ids = versions.map((version) => version.id);
    this.recent = this.recent.filter((id) => ids.includes(id));
    for (const id of compared(versions)) if (!this.recent.includes(id)) this.recent.push(id);
    const { blend } = this.state;
    if (blend !== null && !(ids.includes(blend.from) && ids.includes(blend.to))) this.change({ blend: null });
    if (!ids.includes(this.state.version)) this.change({ version: ids[0] ?? "original" });
    if (this.made !== null) this.give();
    if (this.state.engine !== "paused") return;
    clearTimeout(this.ahead);
    this.ahead = setTimeout(() => {
      this.engine.fetchFirst();
      this.ahead = setTimeout(() => {
        if (this.state.engine === "paused") this.engine.seek(this.engine.position); // fetches what is around it
      }, PICTURES_FIRST_MS);
    }, this.made === null ? DRAWN_FIRST_MS : 0);
  }

  /** What there is and what is wanted, to the engine. */
  private give(): void {
    this.engine.load(
      this.versions.map((version) => ({
        id: version.id,
        revision: version.made_at,
        offset: toFrames(version.offset_s),
        total: toFrames(version.duration_s),
      })),
      toFrames(this.duration_s),
    );
    this.apply();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): PlayerState => this.state;

  /** In seconds: what comes out of the loudspeakers now. */
  get position(): number {
    if (this.made === null) return 0;
    const late = this.state.engine === "playing" ? this.made.context.outputLatency || 0 : 0;
    return Math.max(0, this.engine.position / RATE - late);
  }

  play(): void {
    clearTimeout(this.rest);
    const { looping, region } = this.state;
    const at = this.engine.position / RATE;
    void this.made?.context.resume();
    if (looping && region !== null && (at < region.start_s || at >= region.end_s)) {
      this.engine.play(toFrames(region.start_s));
    } else this.engine.play();
  }

  pause(): void {
    this.engine.pause();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => void this.made?.context.suspend(), SUSPEND_MS);
  }

  toggle(): void {
    if (this.state.engine === "playing" || this.state.engine === "waiting") this.pause();
    else this.play();
  }

  seek(seconds: number, snap = false): void {
    this.engine.seek(toFrames(snap ? this.snapped(seconds) : seconds));
    this.tell();
  }

  hear(version: string): void {
    if (this.state.blind) return;
    this.recent = [version, ...this.recent.filter((id) => id !== version)];
    this.change({ version, mixing: false, blend: null });
    this.apply();
  }

  /** Two versions over one another, of equal power. */
  blend(blend: Blend): void {
    if (this.state.blind) return;
    this.change({ version: blend.from, mixing: false, blend });
    this.apply();
  }

  /** In a listening test: one of a and b, both of which run along. */
  compare(a: string, b: string, heard: string): void {
    this.pair = { a, b, heard };
    this.change({ version: a, mixing: false, blend: null });
    this.apply();
  }

  setBlind(blind: boolean): void {
    if (!blind) this.pair = null;
    this.change({ blind });
    this.apply();
  }

  /** Several stems at once. */
  mix(strips: readonly Strip[]): void {
    this.strips = strips;
    if (this.state.blind) return;
    this.change({ mixing: true, blend: null });
    this.apply();
  }

  setMatch(match: boolean): void {
    if (this.state.blind) return; // one test, one loudness
    remember("match", match);
    this.change({ match });
    this.apply();
  }

  setVolume(volume: number): void {
    remember("volume", volume);
    this.made?.engine.setVolume(loudnessOf(volume));
    this.change({ volume });
  }

  setSnap(snap: Snap): void {
    remember("snap", snap);
    this.change({ snap });
  }

  /** The part that is looped, tested and measured. */
  setRegion(region: Stretch | null, looping = this.state.looping): void {
    this.change({ region, looping: looping && region !== null });
    this.made?.engine.setLoop(this.loop());
  }

  setLooping(looping: boolean): void {
    this.setRegion(this.state.region, looping);
  }

  setNotes(stem: string, notes: readonly Played[] | null, gain = 1): void {
    if (notes !== null || this.made !== null) this.engine.setNotes(stem, notes, gain);
  }

  snapped(seconds: number): number {
    const { snap } = this.state;
    if (snap === "off" || this.music === null) return seconds;
    const marks =
      snap === "beats"
        ? this.music.beats_s
        : [...this.music.sections.map((one) => one.start_s), this.music.sections.at(-1)?.end_s ?? 0];
    return snapped(seconds, marks, snap === "beats" ? SNAP_S : Number.POSITIVE_INFINITY);
  }

  /** dB by which a version is turned down now. */
  gainOf(version: string): number {
    return this.state.match ? (matchingGains(this.versions).get(version) ?? 0) : 0;
  }

  close(): void {
    clearTimeout(this.rest);
    clearTimeout(this.ahead);
    if (this.made === null) return;
    clearInterval(this.made.timer);
    this.made.engine.close();
    void this.made.context.close();
  }

  private loop(): Loop | null {
    const { looping, region } = this.state;
    if (!looping || region === null) return null;
    return { start: toFrames(region.start_s), end: toFrames(region.end_s) };
  }

  private apply(): void {
    if (this.made === null) return;
    const plain = (id: string): Voice => ({ id, level: factor(this.gainOf(id)), width: 1 });
    if (this.pair !== null) {
      const { a, b, heard } = this.pair;
      this.engine.hear([plain(heard)], [plain(a), plain(b)], true);
      return;
    }
    const ready = this.recent.slice(0, READY).map(plain);
    if (this.state.blend !== null) {
      const { from, to, share } = this.state.blend;
      const powers = equalPower(share);
      const voices = [from, to].map((id, at) => ({ ...plain(id), level: plain(id).level * (powers[at] as number) }));
      this.engine.hear(voices, ready);
      return;
    }
    if (!this.state.mixing) {
      this.engine.hear([plain(this.state.version)], ready);
      return;
    }
    // Together they are as loud against the versions as the mix is.
    const together = this.gainOf("mix");
    const solo = this.strips.some((strip) => strip.solo);
    const voices = this.strips.map((strip) => ({
      id: strip.version,
      level: strip.mute || (solo && !strip.solo) ? 0 : factor(strip.level_db + together),
      width: strip.width,
    }));
    this.engine.hear(voices, ready);
  }

  private change(some: Partial<PlayerState>): void {
    this.state = { ...this.state, ...some };
    this.tell();
  }

  private tell(): void {
    const { state: engine, failure, settled } = this.made?.engine ?? AT_REST;
    if (engine !== this.state.engine || settled !== this.state.settled || failure !== this.state.failure) {
      this.state = { ...this.state, engine, failure, settled };
    }
    for (const listener of this.listeners) listener();
  }
}

/** A factor: nearer to how loudness is heard than a straight line. */
function loudnessOf(volume: number): number {
  return volume ** 2;
}

/** The versions that a listener goes back and forth between first. */
export function compared(versions: readonly Version[]): string[] {
  const whole = versions.filter((version) => version.current && version.stem === null && version.group !== "regenerated");
  const first = (group: Version["group"]) => whole.find((version) => version.group === group)?.id;
  return [first("original"), first("master"), first("mix")].filter((id) => id !== undefined);
}
