/** Waveforms from the server: lowest and highest sample of each column. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type View } from "./view.ts";

export interface Shape extends View {
  version: string;
  /** Pairs, full scale ±127. */
  extremes: Int8Array;
  exact: boolean;
}

const MOST_COLUMNS = 4096;
const AGAIN_MS = 2500; // the whole waveform is being made

/** A third more to each side than is seen, so that scrolling meets no edge; rounded, so that what is asked for twice
 * is the same. */
export function stretchFor(view: View, duration_s: number): View {
  const length = view.end_s - view.start_s;
  const step = length / 3;
  return {
    start_s: Math.max(0, Math.floor(view.start_s / step - 1) * step),
    end_s: Math.min(duration_s, Math.ceil(view.end_s / step + 1) * step),
  };
}

/** The shape of a version for a view that is `width` pixels wide; times are the version's own. revision: when it was
 * made: what its name stands for changes. */
export function usePeaks(track: string, version: string, revision: string, view: View, width: number, duration_s: number) {
  const { start_s, end_s } = stretchFor(view, duration_s);
  const share = (end_s - start_s) / (view.end_s - view.start_s);
  const columns = Math.min(MOST_COLUMNS, Math.max(1, Math.round((width || 800) * share)));
  return useQuery({
    queryKey: ["peaks", track, version, revision, start_s.toFixed(4), end_s.toFixed(4), columns],
    enabled: width > 0 && end_s > start_s,
    queryFn: async ({ signal }): Promise<Shape> => {
      const asked = new URLSearchParams({ start_s: start_s.toFixed(6), end_s: end_s.toFixed(6), columns: `${columns}` });
      const at = `/api/v1/tracks/${encodeURIComponent(track)}/peaks/${encodeURIComponent(version)}?${asked}`;
      const response = await fetch(at, { signal });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const extremes = new Int8Array(await response.arrayBuffer());
      return { version, start_s, end_s, extremes, exact: response.headers.get("X-Exact") === "1" };
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.exact === false ? AGAIN_MS : false),
  });
}
