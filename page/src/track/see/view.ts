/** The part of a track that is shown. Times in seconds. */
export interface View {
  start_s: number;
  end_s: number;
}

const SHORTEST_S = 0.05;

/** Within the track, and as long as it was if that goes. */
export function within(view: View, duration_s: number): View {
  const length = Math.min(duration_s, Math.max(Math.min(SHORTEST_S, duration_s), view.end_s - view.start_s));
  const start_s = Math.min(Math.max(0, view.start_s), duration_s - length);
  return { start_s, end_s: start_s + length };
}

/** by: under 1 shows less. What is at about_s stays where it is. */
export function zoomed(view: View, by: number, about_s: number, duration_s: number): View {
  const length = view.end_s - view.start_s;
  const wanted = Math.min(duration_s, Math.max(SHORTEST_S, length * by));
  const share = (about_s - view.start_s) / length;
  return within({ start_s: about_s - share * wanted, end_s: about_s + (1 - share) * wanted }, duration_s);
}

export function moved(view: View, by_s: number, duration_s: number): View {
  return within({ start_s: view.start_s + by_s, end_s: view.end_s + by_s }, duration_s);
}

/** Paged on where the playhead has left it, so that nothing scrolls under the eye. */
export function following(view: View, position_s: number, duration_s: number): View {
  if (position_s >= view.start_s && position_s < view.end_s) return view;
  const length = view.end_s - view.start_s;
  return within({ start_s: position_s - length * 0.05, end_s: position_s + length * 0.95 }, duration_s);
}

export function toPixels(seconds: number, view: View, width: number): number {
  return ((seconds - view.start_s) / (view.end_s - view.start_s)) * width;
}

export function toSeconds(pixels: number, view: View, width: number): number {
  return view.start_s + (pixels / Math.max(1, width)) * (view.end_s - view.start_s);
}

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Times of the ruler's marks, each at least `apart` pixels from the next. */
export function marks(view: View, width: number, apart = 90): { step: number; times: number[] } {
  const least = ((view.end_s - view.start_s) * apart) / Math.max(1, width);
  const step = STEPS.find((one) => one >= least) ?? 7200;
  const times: number[] = [];
  for (let number = Math.ceil(view.start_s / step); number * step <= view.end_s; number += 1) times.push(number * step);
  return { step, times };
}

/** Of tiles, each twice as long as those of the zoom before: that at which a tile's pixel is no more than one here. */
export function tileZoom(view: View, width: number, tile_s: number, columns: number, most: number): number {
  const wanted = ((view.end_s - view.start_s) / Math.max(1, width)) * columns;
  return Math.min(most, Math.max(0, Math.floor(Math.log2(wanted / tile_s) + 0.5)));
}
