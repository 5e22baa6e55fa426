/** One version on the grid: its segments one behind the other, at exact frames of the clock, into gains of its own. */
import { type Piece, RATE, type Stretch, pieces } from "./grid.ts";
import { Ramp } from "./ramp.ts";
import type { Segments } from "./segments.ts";
import { Width } from "./width.ts";

export interface LaneSound {
  id: string;
  /** When it was made: `master` is another sound once there is a newer one. */
  revision: string;
  /** By how many frames it comes later than the original. */
  offset: number;
  /** All of its frames. */
  total: number;
}

/** What a segment is asked for by: no version's name has a space. */
export function sourceOf({ id, revision }: LaneSound): string {
  return `${id} ${revision}`;
}

interface Source {
  node: AudioBufferSourceNode;
  end: number;
}

const LEVEL_SECONDS = 0.01; // time constant: a level that is moved makes no steps

export class Lane {
  readonly sound: LaneSound;
  /** 1 where it is to be heard: what switching moves. */
  readonly fade: Ramp;
  /** Up to which frame of the clock everything is arranged. */
  done = 0;
  /** From which frame of the clock on it sounds without a gap. */
  joined = 0;
  private readonly context: BaseAudioContext;
  private readonly segments: Segments<AudioBuffer>;
  private readonly input: GainNode;
  private readonly level: GainNode;
  private readonly width: Width;
  private sources: Source[] = [];

  constructor(
    context: BaseAudioContext,
    into: AudioNode,
    sound: LaneSound,
    segments: Segments<AudioBuffer>,
    gain: number,
    width: number,
  ) {
    this.context = context;
    this.sound = sound;
    this.segments = segments;
    this.input = new GainNode(context, { channelCount: 2, channelCountMode: "explicit" });
    this.level = new GainNode(context, { gain });
    this.fade = new Ramp(this.input.gain, 0);
    this.width = new Width(context, this.input, width);
    this.width.output.connect(this.level).connect(into);
  }

  /** level: as a factor; width: of the side, 1 as it is. */
  set(level: number, width: number): void {
    this.level.gain.setTargetAtTime(level, this.context.currentTime, LEVEL_SECONDS);
    this.width.set(width);
  }

  /** Arrange what of the line lies before `until`, as far as it is decoded; nothing begins before `earliest`. */
  arrange(line: readonly Stretch[], until: number, earliest: number, urgent: boolean): void {
    for (const stretch of line) {
      if (stretch.at >= until) break;
      if (stretch.at + stretch.count <= this.done) continue;
      for (const piece of pieces(stretch, this.sound.offset, this.sound.total)) {
        if (piece.at + piece.count <= this.done) continue;
        const buffer = this.segments.peek(sourceOf(this.sound), piece.segment);
        if (buffer === undefined) {
          // What failed is asked for again at the next round; the engine tells where it is one that is heard.
          this.segments.want(sourceOf(this.sound), piece.segment, urgent).catch(() => undefined);
          return;
        }
        const late = Math.max(0, Math.max(this.done, earliest) - piece.at);
        if (late > 0) this.joined = piece.at + late;
        if (buffer !== null && late < piece.count) {
          this.start(buffer, {
            ...piece,
            at: piece.at + late,
            from: piece.from + late,
            count: piece.count - late,
          });
        }
        this.done = piece.at + piece.count;
      }
      this.done = Math.max(this.done, Math.min(until, stretch.at + stretch.count));
    }
    this.sources = this.sources.filter((source) => source.end > earliest - RATE);
  }

  /** Nothing of it sounds from a frame of the clock on, and what comes then is arranged anew. */
  cut(at: number): void {
    for (const source of this.sources) {
      if (source.end <= at) continue;
      source.node.stop(at / RATE);
      source.end = at;
    }
    this.done = at;
    this.joined = at;
  }

  close(): void {
    for (const source of this.sources) source.node.disconnect();
    this.sources = [];
    this.level.disconnect();
  }

  private start(buffer: AudioBuffer, piece: Piece): void {
    const count = Math.min(piece.count, buffer.length - piece.from);
    if (count <= 0) return;
    const node = new AudioBufferSourceNode(this.context, { buffer: partOf(this.context, buffer, piece.from, count) });
    node.connect(this.input);
    node.start(piece.at / RATE);
    this.sources.push({ node, end: piece.at + count });
  }
}

/** Whole frames cut out here: offset and duration of a source are times, and a time may be rounded to the next frame. */
function partOf(context: BaseAudioContext, buffer: AudioBuffer, from: number, count: number): AudioBuffer {
  if (from === 0 && count === buffer.length) return buffer;
  const part = context.createBuffer(buffer.numberOfChannels, count, buffer.sampleRate);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    part.copyToChannel(buffer.getChannelData(channel).subarray(from, from + count), channel);
  }
  return part;
}

