/** The two pages, each with what it alone needs; what will be wanted is asked for ahead. */
import type { QueryClient } from "@tanstack/react-query";
import { type ComponentType, lazy, useState } from "react";
import { trackQuery } from "./api/track.ts";

/** A page that is loaded when it is wanted. One that is there is drawn at once: lazy() by itself draws what stands in
 * its place first, and React leaves that for 300 ms. */
function page<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  let there: ComponentType<Props> | undefined;
  const expect = async () => {
    there = await load().catch(() => undefined); // it is asked for again where it is drawn, which tells what is wrong
  };
  const Later: ComponentType<Props> = lazy(async () => ({ default: await load() }));
  function Page(props: Props) {
    const [Shown] = useState(() => there ?? Later);
    return <Shown {...props} />;
  }
  return { expect, Page };
}

const library = page(async () => (await import("./library/LibraryPage.tsx")).LibraryPage);
const track = page(async () => (await import("./track/TrackPage.tsx")).TrackPage);

export const LibraryPage = library.Page;
export const TrackPage = track.Page;

/** While the pointer or the focus is on a link to it. */
export function expectTrack(queries: QueryClient, key: string): void {
  void track.expect();
  void queries.prefetchQuery(trackQuery(key));
}

/** By the address that the browser was opened with; done when its code is there. */
export async function firstPage(queries: QueryClient): Promise<void> {
  const opened = /^\/tracks\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  if (opened === undefined) return library.expect();
  void queries.prefetchQuery(trackQuery(decodeURIComponent(opened)));
  return track.expect();
}
