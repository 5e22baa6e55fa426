/** A gain that moves in straight lines, and of which it is known where it stands. */
import { RATE } from "./grid.ts";

export class Ramp {
  private readonly param: AudioParam;
  /** When the last movement ends, in frames of the clock. */
  private until = 0;
  /** Where it goes to, or is. */
  target: number;

  constructor(param: AudioParam, value: number) {
    this.param = param;
    this.target = value;
    param.value = value;
    param.setValueAtTime(value, 0); // a straight line needs a point to begin at
  }

  /** From where it is at `at` to a value, in so many frames; a movement that is under way is let end first. Returns
   * when it will be there. */
  to(value: number, at: number, frames: number): number {
    if (value === this.target) return Math.max(at, this.until);
    const begin = Math.max(at, this.until);
    this.param.setValueAtTime(this.target, begin / RATE);
    this.param.linearRampToValueAtTime(value, (begin + frames) / RATE);
    this.target = value;
    this.until = begin + frames;
    return this.until;
  }

  /** Whether it has been at 0 for a while. */
  silentAt(at: number): boolean {
    return this.target === 0 && at >= this.until;
  }

  /** From when on another movement can begin. */
  get free(): number {
    return this.until;
  }
}
