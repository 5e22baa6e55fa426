/** Notes played by simple tones on the same clock: to hear what was written down, not to sound like an instrument. */
import { type Loop, RATE, type Stretch, toFrames } from "./grid.ts";

export interface Played {
  start_s: number;
  end_s: number;
  pitch: number;
  velocity: number;
}

interface Tone {
  stop: (at: number) => void;
  end: number;
}

const ATTACK_S = 0.005;
const RELEASE_S = 0.06;
const DRUM_S = 0.18;
const SHORTEST_S = 0.03;
const LOUDEST = 0.22; // several notes at once stay under full scale
const KICKS = new Set([35, 36]); // General MIDI

export class Instrument {
  readonly output: GainNode;
  done = 0;
  private readonly context: BaseAudioContext;
  private readonly notes: readonly Played[];
  private readonly drums: boolean;
  private tones: Tone[] = [];
  private hiss: AudioBuffer | null = null;

  /** notes: by onset. */
  constructor(context: BaseAudioContext, into: AudioNode, notes: readonly Played[], drums: boolean) {
    this.context = context;
    this.notes = notes;
    this.drums = drums;
    this.output = new GainNode(context, { gain: 0 });
    this.output.connect(into);
  }

  set(gain: number): void {
    this.output.gain.setTargetAtTime(gain, this.context.currentTime, 0.01);
  }

  arrange(line: readonly Stretch[], until: number, earliest: number, loop: Loop | null): void {
    for (const stretch of line) {
      if (stretch.at >= until) break;
      if (stretch.at + stretch.count <= this.done) continue;
      const skipped = Math.max(0, this.done - stretch.at, earliest - stretch.at);
      const begins = stretch.frame + skipped;
      const joins = begins === 0 || this.done < stretch.at || skipped > 0 || loop?.start === begins;
      const stop = loop !== null && begins < loop.end ? loop.end : Number.POSITIVE_INFINITY;
      for (const note of this.notes) {
        const first = toFrames(note.start_s);
        if (first >= stretch.frame + stretch.count) break;
        const last = Math.min(stop, Math.max(toFrames(note.end_s), first + SHORTEST_S * RATE));
        const running = joins && !this.drums && first < begins && last > begins + SHORTEST_S * RATE;
        if (first < begins && !running) continue;
        const from = Math.max(first, begins);
        this.play(note, stretch.at + from - stretch.frame, (last - from) / RATE);
      }
      this.done = stretch.at + stretch.count;
    }
    this.tones = this.tones.filter((tone) => tone.end > earliest);
  }

  cut(at: number): void {
    for (const tone of this.tones) if (tone.end > at) tone.stop(at / RATE);
    this.tones = [];
    this.done = at;
  }

  close(): void {
    this.cut(0);
    this.output.disconnect();
  }

  private play(note: Played, at: number, seconds: number): void {
    const when = at / RATE;
    const loud = LOUDEST * (note.velocity / 127) ** 1.5;
    const envelope = new GainNode(this.context, { gain: 0 });
    envelope.connect(this.output);
    const length = this.drums ? DRUM_S : seconds + RELEASE_S;
    const source = this.drums ? this.drum(note.pitch, when) : this.tone(note.pitch);
    source.connect(envelope);
    envelope.gain.setValueAtTime(0, when);
    envelope.gain.linearRampToValueAtTime(loud, when + (this.drums ? 0.001 : ATTACK_S));
    if (this.drums) {
      envelope.gain.exponentialRampToValueAtTime(loud / 1000, when + length);
    } else {
      envelope.gain.setTargetAtTime(loud * 0.6, when + ATTACK_S, 0.25);
      envelope.gain.setTargetAtTime(0, when + seconds, RELEASE_S / 4);
    }
    source.start(when);
    source.stop(when + length);
    this.tones.push({ stop: (time) => source.stop(time), end: at + length * RATE });
  }

  private tone(pitch: number): AudioScheduledSourceNode {
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    return new OscillatorNode(this.context, { type: "triangle", frequency });
  }

  private drum(pitch: number, when: number): AudioScheduledSourceNode {
    if (KICKS.has(pitch)) {
      const kick = new OscillatorNode(this.context, { frequency: 130 });
      kick.frequency.setValueAtTime(130, when);
      kick.frequency.exponentialRampToValueAtTime(45, when + 0.08);
      return kick;
    }
    return new AudioBufferSourceNode(this.context, { buffer: this.noise() });
  }

  private noise(): AudioBuffer {
    if (this.hiss === null) {
      this.hiss = this.context.createBuffer(1, DRUM_S * RATE, RATE);
      const samples = this.hiss.getChannelData(0);
      for (let index = 0; index < samples.length; index += 1) samples[index] = 2 * Math.random() - 1;
    }
    return this.hiss;
  }
}
