import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { extents } from "./extents.ts";

const COLUMNS = 160;
const HEIGHT = 40;

/** The original's waveform, drawn in the text's colour. A picture only: the track's page has the one to hear by. */
export function SmallWaveform({ track, decoded }: { track: string; decoded: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { data } = useQuery({
    queryKey: ["small waveform", track],
    queryFn: async ({ signal }) => {
      const response = await fetch(`/api/v1/tracks/${track}/peaks/original?columns=${COLUMNS}`, { signal });
      if (!response.ok) return null; // a picture that is missing is no trouble worth a word
      return new Int8Array(await response.arrayBuffer());
    },
    enabled: decoded,
    staleTime: Infinity,
  });
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element == null || context == null || data == null) return;
    context.clearRect(0, 0, COLUMNS, HEIGHT);
    context.fillStyle = "#7d9194"; // of enough contrast on both grounds
    for (const [column, { top, height }] of extents(data, HEIGHT).entries()) context.fillRect(column, top, 1, height);
  }, [data]);
  return <canvas ref={canvas} className="small-wave" width={COLUMNS} height={HEIGHT} aria-hidden="true" />;
}
