/** The two pages, each with what it alone needs; what will be wanted is asked for ahead. */
import type { QueryClient } from "@tanstack/react-query";
import { lazy } from "react";
import { trackQuery } from "./api/track.ts";

const library = () => import("./library/LibraryPage.tsx");
const track = () => import("./track/TrackPage.tsx");

export const LibraryPage = lazy(() => library().then((module) => ({ default: module.LibraryPage })));
export const TrackPage = lazy(() => track().then((module) => ({ default: module.TrackPage })));

/** While the pointer or the focus is on a link to it. */
export function expectTrack(queries: QueryClient, key: string): void {
  void track();
  void queries.prefetchQuery(trackQuery(key));
}

/** By the address that the browser was opened with: at once, not only when the page is drawn. */
export function expectFirstPage(queries: QueryClient): void {
  const opened = /^\/tracks\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  if (opened !== undefined) expectTrack(queries, decodeURIComponent(opened));
  else void library();
}
