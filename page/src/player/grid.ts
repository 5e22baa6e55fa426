/** The grid that all versions lie on, and what of it sounds when. All in frames at 48 kHz, whole numbers. */
export const RATE = 48_000;
export const SEGMENT_FRAMES = 5 * RATE;
/** The frames of a crossfade from one version to another: 5 ms. */
export const SWITCH_FRAMES = 240;

/** Frames of the track, start to end (not included), that are played again and again. */
export interface Loop {
  start: number;
  end: number;
}

/** Where the next frame to be planned falls: on the clock, and in the track. */
export interface Cursor {
  at: number;
  frame: number;
}

/** So many frames of the track, from frame on, sound from at on. */
export interface Stretch extends Cursor {
  count: number;
}

/** A part of one segment: `count` of its frames, from `from` on, sound from `at` on. */
export interface Piece {
  at: number;
  segment: number;
  from: number;
  count: number;
}

export function toFrames(seconds: number): number {
  return Math.round(seconds * RATE);
}

/** What sounds from a cursor on until the clock is at `until`: straight on, round and round in a loop that is not
 * behind, and no further than the track's end. */
export function plan(cursor: Cursor, until: number, end: number, loop: Loop | null): [Stretch[], Cursor] {
  const planned: Stretch[] = [];
  let { at, frame } = cursor;
  while (at < until) {
    const looping = loop !== null && loop.end > loop.start && frame < loop.end;
    const stop = looping ? Math.min(loop.end, end) : end;
    if (frame >= stop) break;
    const count = Math.min(stop - frame, until - at);
    planned.push({ at, frame, count });
    at += count;
    frame += count;
    if (looping && frame === stop) frame = loop.start;
  }
  return [planned, { at, frame }];
}

/** The pieces of a version that a stretch is made of. offset: by how many frames the version comes late; what it
 * does not have, before its begin and behind its end, is no piece. */
export function pieces(stretch: Stretch, offset: number, total: number): Piece[] {
  const first = stretch.frame + offset;
  const stop = Math.min(first + stretch.count, total);
  const found: Piece[] = [];
  let frame = Math.max(0, first);
  while (frame < stop) {
    const segment = Math.floor(frame / SEGMENT_FRAMES);
    const from = frame - segment * SEGMENT_FRAMES;
    const count = Math.min(SEGMENT_FRAMES - from, stop - frame);
    found.push({ at: stretch.at + frame - first, segment, from, count });
    frame += count;
  }
  return found;
}

/** The track's frame that sounds when the clock is at `at`: of what was planned, null where nothing was. */
export function frameAt(line: readonly Stretch[], at: number): number | null {
  for (let index = line.length - 1; index >= 0; index -= 1) {
    const stretch = line[index] as Stretch;
    if (at >= stretch.at) return at < stretch.at + stretch.count ? stretch.frame + at - stretch.at : null;
  }
  return null;
}

/** The line without what is planned from the clock's `at` on. */
export function cutLine(line: readonly Stretch[], at: number): Stretch[] {
  return line
    .filter((stretch) => stretch.at < at)
    .map((stretch) => ({ ...stretch, count: Math.min(stretch.count, at - stretch.at) }));
}
