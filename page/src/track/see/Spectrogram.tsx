/** Tiles of a spectrogram, drawn by the server, at the zoom that the view needs. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type View, tileZoom, toPixels } from "./view.ts";

const TILE_S = 5; // of a tile at zoom 0
const COLUMNS = 512;
const ZOOM_MAX = 14;
const LATER_MS = 120; // while one zooms, only where it comes to rest

interface Props {
  track: string;
  version: string;
  revision: string;
  duration_s: number;
  offset_s: number;
  view: View;
  width: number;
  /** Where it begins, in pixels. */
  top: number;
  height: number;
}

export function Spectrogram({ track, version, revision, duration_s, offset_s, view, width, top, height }: Props) {
  const zoom = useSettled(tileZoom(view, width, TILE_S, COLUMNS, ZOOM_MAX));
  const seconds = TILE_S * 2 ** zoom;
  const first = Math.max(0, Math.floor((view.start_s + offset_s) / seconds));
  const last = Math.min(Math.ceil(duration_s / seconds) - 1, Math.floor((view.end_s + offset_s) / seconds));
  const tiles = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  return (
    <div className="spectrogram" aria-hidden="true" style={{ top: `${top}px`, height: `${height}px` }}>
      {tiles.map((tile) => {
        const left = toPixels(tile * seconds - offset_s, view, width);
        const right = toPixels((tile + 1) * seconds - offset_s, view, width);
        const source = `/api/v1/tracks/${encodeURIComponent(track)}/spectrogram/${encodeURIComponent(version)}/${zoom}/${tile}`;
        return <Tile key={source} source={source} revision={revision} left={left} width={right - left} />;
      })}
    </div>
  );
}

interface TileProps {
  source: string;
  revision: string;
  left: number;
  width: number;
}

function Tile({ source, revision, left, width }: TileProps) {
  // Asked for as a question of the page, which is asked again where the server was too busy.
  const picture = useQuery({
    queryKey: ["tile", source, revision],
    queryFn: async ({ signal }) => {
      const response = await fetch(source, { signal });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return createImageBitmap(await response.blob());
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const place = canvas.current;
    if (place === null || picture.data === undefined) return;
    place.width = picture.data.width;
    place.height = picture.data.height;
    place.getContext("2d")?.drawImage(picture.data, 0, 0);
  }, [picture.data]);
  return <canvas ref={canvas} className="tile" style={{ transform: `translateX(${left}px)`, width: `${width}px` }} />;
}

/** A value once it has stayed the same for a moment; the first one at once. */
function useSettled(value: number): number {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), LATER_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
