/** Times drawn to the music's own. */
const nothing = Number.NaN;

/** The mark nearest to a time, if it is within reach; else the time itself. marks: rising. */
export function snapped(time: number, marks: readonly number[], reach: number): number {
  const mark = nearest(time, marks);
  return Math.abs(mark - time) <= reach ? mark : time;
}

/** NaN where there is no mark. */
export function nearest(time: number, marks: readonly number[]): number {
  const after = firstNotBefore(time, marks);
  const next = marks[after] ?? nothing;
  const last = marks[after - 1] ?? nothing;
  if (Number.isNaN(last) || next - time < time - last) return next;
  return last;
}

/** Index of the first mark that is at a time or behind it; how many there are where none is. */
export function firstNotBefore(time: number, marks: readonly number[]): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
