/** Where each column of a waveform begins and how high it is, in pixels, of pairs (min, max) of −128…127. At least
 * one pixel each, so that silence is a line. */
export function extents(pairs: Int8Array, height: number): { top: number; height: number }[] {
  const found = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const low = (pairs[at] ?? 0) / 128;
    const high = (pairs[at + 1] ?? 0) / 128;
    const top = ((1 - high) / 2) * height;
    const bottom = ((1 - low) / 2) * height;
    const whole = Math.max(1, bottom - top);
    found.push({ top: Math.min(top, height - whole), height: whole });
  }
  return found;
}
