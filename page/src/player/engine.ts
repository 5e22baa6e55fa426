/** Versions of one track on one clock: played, switched, looped to the sample.
 *
 * What is to sound is planned as a line of stretches on the context's clock; every version that may be switched to
 * runs along the same line, heard or not, so that a switch moves gains and nothing else.
 */
import {
  type Cursor,
  type Loop,
  RATE,
  SEGMENT_FRAMES,
  SWITCH_FRAMES,
  type Stretch,
  cutLine,
  frameAt,
  pieces,
  plan,
} from "./grid.ts";
import { Instrument, type Played } from "./instruments.ts";
import { Lane, type LaneSound, sourceOf } from "./lane.ts";
import { Ramp } from "./ramp.ts";
import { type Fetcher, Segments, decoderOf } from "./segments.ts";

export type EngineState = "paused" | "waiting" | "playing" | "failed";

/** What is to be heard of a version. level: a factor; width: of the side, 1 as it is. */
export interface Voice {
  id: string;
  level: number;
  width: number;
}

const AHEAD = 2.5 * RATE; // a page in the background is woken once a second
const MARGIN = RATE / 50; // 20 ms: what is arranged so far ahead is on time
const SWITCH_MARGIN = 256; // a gain that is late by a block is no harm
const FETCH_AHEAD = 7 * RATE;
const FIRST = SEGMENT_FRAMES / 10;
const STARVING = RATE / 20;

export class Engine {
  state: EngineState = "paused";
  /** Why nothing can be heard. */
  failure: unknown = null;
  private readonly context: BaseAudioContext;
  private readonly segments: Segments<AudioBuffer>;
  private readonly gate: Ramp;
  private readonly input: GainNode;
  private readonly volume: GainNode;
  private readonly told: () => void;
  private readonly lanes = new Map<string, Lane>();
  private readonly instruments = new Map<string, Instrument>();
  private sounds = new Map<string, LaneSound>();
  private voices: Voice[] = [];
  private ready: Voice[] = [];
  private line: Stretch[] = [];
  private cursor: Cursor = { at: 0, frame: 0 };
  private loop: Loop | null = null;
  private rest = 0; // where it stands while nothing sounds
  private end = 0;
  private starts = 0;
  private dip = false;

  /** told: called when `state` has changed. */
  constructor(context: BaseAudioContext, fetcher: Fetcher, told: () => void = () => undefined) {
    this.context = context;
    this.told = told;
    this.segments = new Segments(fetcher, decoderOf(context));
    this.input = new GainNode(context, { gain: 0 });
    this.gate = new Ramp(this.input.gain, 0);
    this.volume = new GainNode(context);
    this.input.connect(this.volume).connect(context.destination);
  }

  /** All there are; end: the track's, in frames. What is no longer there, or another by now, is to be heard anew. */
  load(sounds: readonly LaneSound[], end: number): void {
    this.sounds = new Map(sounds.map((sound) => [sound.id, sound]));
    for (const [id, lane] of this.lanes) {
      const now = this.sounds.get(id);
      if (now !== undefined && sourceOf(now) === sourceOf(lane.sound) && now.offset === lane.sound.offset) continue;
      lane.close();
      this.lanes.delete(id);
    }
    this.end = end;
  }

  /** What is heard, and what else runs along to be switched to at once.
   * What has not been fetched yet is heard as soon as it is there, and until then what was. dip: through a short silence,
   * also where nothing changes, so that the switch itself tells nothing. */
  hear(voices: readonly Voice[], ready: readonly Voice[] = [], dip = false): void {
    this.dip = dip;
    this.voices = voices.filter((voice) => this.sounds.has(voice.id));
    this.ready = ready.filter((voice) => this.sounds.has(voice.id) && !voices.some((one) => one.id === voice.id));
    for (const voice of [...this.voices, ...this.ready]) this.laneOf(voice);
    this.segments.giveUp();
    if (this.state === "waiting") this.play(); // for these, and not for those that were
    this.tick();
  }

  /** Whether all that is to be heard is, as far as anything is. */
  get settled(): boolean {
    return this.state !== "playing" || this.voices.every((voice) => this.lanes.get(voice.id)?.fade.target === 1);
  }

  play(frame = this.position): void {
    void this.start(Math.min(Math.max(0, frame), Math.max(0, this.end - 1)));
  }

  pause(): void {
    this.starts += 1;
    if (this.state === "playing") {
      const stop = this.silence();
      this.rest = frameAt(this.line, stop) ?? this.rest;
    }
    this.turn("paused");
  }

  seek(frame: number): void {
    const within = Math.min(Math.max(0, Math.round(frame)), Math.max(0, this.end - 1));
    if (this.state === "paused" || this.state === "failed") {
      this.rest = within;
      this.segments.giveUp();
      this.fetchAround(within);
      this.told();
    } else this.play(within);
  }

  /** A loop that is set while it plays takes hold without a gap; what is behind its end goes to its start. */
  setLoop(loop: Loop | null): void {
    this.loop = loop;
    if (this.state !== "playing") return;
    const at = this.now + MARGIN;
    const frame = frameAt(this.line, at);
    if (loop !== null && (frame === null || frame >= loop.end || frame < loop.start)) {
      this.play(loop.start);
      return;
    }
    if (frame === null) return;
    this.line = cutLine(this.line, at);
    for (const lane of this.lanes.values()) lane.cut(at);
    for (const instrument of this.instruments.values()) instrument.cut(at);
    this.cursor = { at, frame };
    this.tick();
  }

  setVolume(factor: number): void {
    this.volume.gain.setTargetAtTime(factor, this.context.currentTime, 0.01);
  }

  /** Notes of a stem, to be heard with the versions. */
  setNotes(stem: string, notes: readonly Played[] | null, gain: number): void {
    let instrument = this.instruments.get(stem);
    if (notes === null) {
      instrument?.set(0);
      return;
    }
    if (instrument === undefined) {
      instrument = new Instrument(this.context, this.input, notes, stem === "drums");
      instrument.done = this.now + MARGIN;
      this.instruments.set(stem, instrument);
    }
    instrument.set(gain);
  }

  /** In frames of the track. */
  get position(): number {
    if (this.state !== "playing") return this.rest;
    const now = this.now;
    const first = this.line[0];
    if (first !== undefined && now < first.at) return first.frame;
    return frameAt(this.line, now) ?? this.rest;
  }

  /** To be called several times a second while it plays. */
  tick(): void {
    if (this.state !== "playing") return;
    const now = this.now;
    const [more, cursor] = plan(this.cursor, now + AHEAD, this.end, this.loop);
    this.line = [...this.line.filter((stretch) => stretch.at + stretch.count > now - RATE), ...more];
    this.cursor = cursor;
    const heard = new Set(this.voices.map((voice) => voice.id));
    for (const lane of this.lanes.values()) {
      lane.arrange(this.line, now + AHEAD, now + MARGIN, heard.has(lane.sound.id));
    }
    for (const instrument of this.instruments.values()) {
      instrument.arrange(this.line, now + AHEAD, now + MARGIN, this.loop);
    }
    this.crossfade(now);
    this.fetchAround(this.position);
    this.forget(now);
    if (now >= this.cursor.at) {
      this.rest = 0; // at the end, where nothing more is planned
      this.silence();
      this.turn("paused");
    } else if (this.starving(now)) this.play();
  }

  close(): void {
    this.starts += 1;
    this.segments.close();
    for (const lane of this.lanes.values()) lane.close();
    for (const instrument of this.instruments.values()) instrument.close();
    this.volume.disconnect();
  }

  private get now(): number {
    return Math.round(this.context.currentTime * RATE);
  }

  private laneOf(voice: Voice): Lane {
    let lane = this.lanes.get(voice.id);
    if (lane === undefined) {
      const sound = this.sounds.get(voice.id) as LaneSound;
      lane = new Lane(this.context, this.input, sound, this.segments, voice.level, voice.width);
      lane.done = this.now;
      lane.joined = this.now;
      this.lanes.set(voice.id, lane);
    } else lane.set(voice.level, voice.width);
    return lane;
  }

  /** All gains at one time, when all that is wanted sounds from then on. */
  private crossfade(now: number): void {
    const wanted = this.voices.map((voice) => this.lanes.get(voice.id) as Lane);
    const begin = Math.max(
      now + SWITCH_MARGIN,
      ...wanted.map((lane) => lane.joined),
      ...[...this.lanes.values()].map((lane) => lane.fade.free),
    );
    const last = this.cursor.at;
    if (wanted.some((lane) => lane.done < Math.min(last, begin + STARVING))) return;
    const dark = this.dip ? this.gate.to(0, Math.max(begin, this.gate.free), SWITCH_FRAMES) : null;
    let moved = false;
    for (const lane of this.lanes.values()) {
      const target = wanted.includes(lane) ? 1 : 0;
      if (lane.fade.target === target) continue;
      lane.fade.to(target, dark ?? begin, SWITCH_FRAMES);
      moved = true;
    }
    if (dark !== null) this.gate.to(1, dark + SWITCH_FRAMES, SWITCH_FRAMES);
    this.dip = false;
    if (moved) this.told();
  }

  private starving(now: number): boolean {
    const sounding = [...this.lanes.values()].filter((lane) => lane.fade.target === 1);
    return sounding.some((lane) => lane.done < Math.min(this.cursor.at, now + STARVING));
  }

  /** Lanes that are neither heard nor to be switched to. */
  private forget(now: number): void {
    const kept = new Set([...this.voices, ...this.ready].map((voice) => voice.id));
    for (const [id, lane] of this.lanes) {
      if (kept.has(id) || !lane.fade.silentAt(now)) continue;
      lane.close();
      this.lanes.delete(id);
    }
  }

  /** What a click on play needs, and no more. */
  fetchFirst(): void {
    this.fetchAround(this.rest, FIRST, false);
  }

  private fetchAround(frame: number, count = FETCH_AHEAD, alsoReady = true): void {
    const ahead = { at: 0, frame, count: Math.min(count, Math.max(1, this.end - frame)) };
    for (const [voices, urgent] of [[this.voices, true], [alsoReady ? this.ready : [], false]] as const) {
      for (const { id } of voices) {
        const sound = this.sounds.get(id) as LaneSound;
        for (const piece of pieces(ahead, sound.offset, sound.total)) {
          this.segments.want(sourceOf(sound), piece.segment, urgent).catch(() => undefined);
        }
      }
    }
  }

  private async start(frame: number): Promise<void> {
    const mine = (this.starts += 1);
    if (this.state === "playing") this.silence();
    this.rest = frame;
    this.turn("waiting");
    this.segments.giveUp();
    try {
      // Also the next one where the first has little left.
      const first = { at: 0, frame, count: Math.min(FIRST, this.end - frame) };
      const asked = this.voices.flatMap(({ id }) => {
        const sound = this.sounds.get(id) as LaneSound;
        return pieces(first, sound.offset, sound.total).map((piece) => this.segments.want(sourceOf(sound), piece.segment, true));
      });
      await Promise.all(asked);
    } catch (reason) {
      if (mine !== this.starts) return;
      this.failure = reason;
      this.turn("failed");
      return;
    }
    if (mine !== this.starts) return;
    const at = Math.max(this.now + MARGIN, this.gate.free);
    this.line = [];
    this.cursor = { at, frame };
    for (const lane of this.lanes.values()) lane.cut(at);
    for (const instrument of this.instruments.values()) instrument.cut(at);
    // What is heard at once needs no crossfade: the gate opens.
    const heard = new Set(this.voices.map((voice) => voice.id));
    for (const lane of this.lanes.values()) lane.fade.to(heard.has(lane.sound.id) ? 1 : 0, at - 1, 1);
    this.gate.to(1, at, SWITCH_FRAMES);
    this.turn("playing");
    this.tick();
  }

  /** Returns the frame of the clock from which on nothing is heard. */
  private silence(): number {
    const stop = this.gate.to(0, this.now + SWITCH_MARGIN, SWITCH_FRAMES);
    for (const lane of this.lanes.values()) lane.cut(stop);
    for (const instrument of this.instruments.values()) instrument.cut(stop);
    return stop;
  }

  private turn(state: EngineState): void {
    if (state !== "failed") this.failure = null;
    this.state = state;
    this.told();
  }
}
