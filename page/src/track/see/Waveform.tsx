/** A waveform on a canvas of our own: wavesurfer.js wants a whole track's peaks, which three hours have too many of,
 * and puts a style element into the page, which its content policy refuses. */
import { useEffect, useRef } from "react";
import { type Shape, usePeaks } from "./peaks.ts";
import { type View, toPixels } from "./view.ts";

interface Props {
  track: string;
  version: string;
  revision: string;
  duration_s: number;
  offset_s: number;
  view: View;
  width: number;
  height: number;
  /** A factor: versions that are matched are drawn as loud as they are heard. */
  gain: number;
  className: string;
}

export function Waveform({ track, version, revision, duration_s, offset_s, view, width, height, gain, className }: Props) {
  const own = { start_s: view.start_s + offset_s, end_s: view.end_s + offset_s };
  const peaks = usePeaks(track, version, revision, own, width, duration_s);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { start_s, end_s } = own;
  useEffect(() => {
    const place = canvas.current;
    if (place === null || width === 0) return;
    const paint = () => draw(place, peaks.data, { start_s, end_s }, width, height, gain);
    paint();
    const theme = new MutationObserver(paint);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", paint);
    return () => {
      theme.disconnect();
      scheme.removeEventListener("change", paint);
    };
  }, [peaks.data, start_s, end_s, width, height, gain]);
  return <canvas ref={canvas} className={className} aria-hidden="true" style={{ width: `${width}px`, height: `${height}px` }} />;
}

function draw(canvas: HTMLCanvasElement, shape: Shape | undefined, view: View, width: number, height: number, gain: number) {
  const fine = devicePixelRatio || 1;
  canvas.width = Math.round(width * fine);
  canvas.height = Math.round(height * fine);
  const pen = canvas.getContext("2d");
  if (pen === null || shape === undefined) return;
  pen.scale(fine, fine);
  pen.fillStyle = getComputedStyle(canvas).color;
  const columns = shape.extremes.length / 2;
  const span = (shape.end_s - shape.start_s) / columns;
  const middle = height / 2;
  for (let column = 0; column < columns; column += 1) {
    const left = toPixels(shape.start_s + column * span, view, width);
    const right = toPixels(shape.start_s + (column + 1) * span, view, width);
    if (right < 0 || left > width) continue;
    const low = Math.max(-1, ((shape.extremes[2 * column] ?? 0) / 127) * gain);
    const high = Math.min(1, ((shape.extremes[2 * column + 1] ?? 0) / 127) * gain);
    const top = middle - high * middle;
    pen.fillRect(left, top, Math.max(right - left, 0.5), Math.max(1, (high - low) * middle));
  }
}
