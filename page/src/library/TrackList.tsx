/** The tracks that match, of which only those in sight are asked for and drawn. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { answer, api, lineOf } from "../api/client.ts";
import { useConnected } from "../api/events.ts";
import type { Job, Jobs, TrackSummary } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { useMedia } from "../design/useMedia.ts";
import { count } from "../format.ts";
import "./list.css";
import { LeftOut } from "./LeftOut.tsx";
import { isActive } from "./queue.ts";
import { RemoveDialog } from "./RemoveDialog.tsx";
import { useSettled } from "./settled.ts";
import { Toolbar } from "./Toolbar.tsx";
import { TrackRow } from "./TrackRow.tsx";
import { EVERYTHING, type Sort, sortedBy, useView, type View } from "./view.ts";

const ASKED_FOR = 200;
const STEP = 100;
const ROW = 64; // px, as in list.css
const NARROW_ROW = 136;
const PATIENCE_MS = 3000; // for a row that is still asked for
const NARROW = matchMedia("(width < 48rem)");

let leftAt = 0; // how far down the list was when the page was left

export function TrackList() {
  const [view, setView] = useView();
  const [from, setFrom] = useState(0);
  const [removing, setRemoving] = useState<TrackSummary | null>(null);
  const narrow = useMedia(NARROW);
  const asked = useTracks(view, useSettled(from, 50));
  const jobs = useActiveJobs();
  const connected = useConnected();
  const data = useLastAnswer(asked.data);
  const total = data?.total ?? 0;
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);

  // What stands above the list grows and shrinks.
  useLayoutEffect(() => {
    const measure = () => {
      if (body.current !== null) setMargin(body.current.getBoundingClientRect().top + scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);

  const rows = useWindowVirtualizer({
    count: total,
    estimateSize: () => (narrow ? NARROW_ROW : ROW),
    overscan: 8,
    scrollMargin: margin,
  });
  useEffect(() => rows.measure(), [narrow, rows]);
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  useEffect(() => setFrom(Math.max(0, Math.floor((first - STEP / 2) / STEP) * STEP)), [first]);

  const filtered = `${view.search}\n${view.state}\n${view.sort}\n${view.descending}`;
  const shownFilter = useRef(filtered);
  useEffect(() => {
    if (shownFilter.current === filtered) return;
    shownFilter.current = filtered;
    if (scrollY > margin) scrollTo(0, 0);
  }, [filtered, margin]);
  const told = asked.data === undefined || asked.isPlaceholderData ? null : `${filtered}\n${total}`;
  const lastTold = useRef(told);
  useEffect(() => {
    if (told === null || told === lastTold.current) return;
    if (lastTold.current !== null) announce(count(total, "track"));
    lastTold.current = told;
  }, [told, total]);

  const closeDialog = () => setRemoving(null);
  const removedAt = useRef<number | null>(null);
  const goOn = () => {
    const among = data?.tracks.findIndex((track) => track.track === removing?.track) ?? -1;
    if (among >= 0) removedAt.current = among + (data?.offset ?? 0);
    closeDialog();
  };
  // The row that has taken its place, or the last one, gets the focus.
  useEffect(() => {
    const at = removedAt.current;
    removedAt.current = null;
    if (at !== null && total > 0) focusRow(body.current, Math.min(at, total - 1));
  }, [total]);
  const ready = data !== undefined;
  useLayoutEffect(() => {
    if (ready) scrollTo(0, leftAt);
  }, [ready]);
  // Before the next page is painted, whose shorter document would be a scroll to the top.
  useLayoutEffect(() => {
    const keep = () => {
      leftAt = scrollY;
    };
    addEventListener("scroll", keep, { passive: true });
    return () => removeEventListener("scroll", keep);
  }, []);

  const moveFocus = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-index]") : null;
    if (row === null) return;
    const at = Number(row.dataset["index"]);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: total - 1 }[event.key];
    if (to === undefined || to < 0 || to >= total) return;
    event.preventDefault();
    rows.scrollToIndex(to, { align: "auto" });
    focusRow(body.current, to);
  };

  return (
    <section className="tracks" aria-label="Tracks">
      <Toolbar view={view} setView={setView} total={ready ? total : null} states={data?.states ?? null} />
      {asked.isError && connected && (
        <p className="alert" role="alert">
          {lineOf(asked.error)}{" "}
          <button type="button" className="button tight" onClick={() => void asked.refetch()}>
            Try again
          </button>
        </p>
      )}
      {ready && <LeftOut engines={data.left_out} />}
      {ready && total === 0 && <Nothing view={view} setView={setView} states={data.states} />}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- arrows move between its links */}
      <div
        className={total === 0 ? "card table none" : "card table"}
        role="table"
        aria-label="Tracks"
        aria-rowcount={total + 1}
        aria-busy={asked.isFetching && asked.isPlaceholderData}
        onKeyDown={moveFocus}
      >
        <div role="rowgroup" className="table-head">
          <div role="row" aria-rowindex={1} className="row head small">
            <span role="columnheader">
              <span className="unseen">Cover</span>
            </span>
            <Column view={view} setView={setView} sort="title" label="Title" />
            <span role="columnheader" className="cell-wave">
              <span className="unseen">Waveform</span>
            </span>
            <Column view={view} setView={setView} sort="tempo" label="BPM" />
            <Column view={view} setView={setView} sort="key" label="Key" />
            <span role="columnheader" className="cell-length">
              Length
            </span>
            <Column view={view} setView={setView} sort="worst" label="Verdict" />
            <span role="columnheader">
              <span className="unseen">Actions</span>
            </span>
          </div>
        </div>
        <div ref={body} role="rowgroup" className="table-body" style={{ height: rows.getTotalSize() }}>
          {items.map((item) => (
            <TrackRow
              key={item.index}
              index={item.index}
              top={item.start - margin}
              track={data?.tracks[item.index - data.offset]}
              jobs={jobs}
              onRemove={setRemoving}
            />
          ))}
        </div>
      </div>
      {removing !== null && <RemoveDialog track={removing} onClose={closeDialog} onRemoved={goOn} />}
    </section>
  );
}

type Answered = NonNullable<ReturnType<typeof useTracks>["data"]>;

let lastAnswer: Answered | undefined;

/** What was shown stays, where nobody answers any more. */
function useLastAnswer(now: Answered | undefined): Answered | undefined {
  useEffect(() => {
    if (now !== undefined) lastAnswer = now;
  }, [now]);
  return now ?? lastAnswer;
}

function useTracks(view: View, offset: number) {
  const query = {
    ...(view.search !== "" && { search: view.search.replaceAll("♯", "#").replaceAll("♭", "b") }), // as keys are kept
    ...(view.state !== null && { state: view.state }),
    sort: view.sort,
    descending: view.descending,
    offset,
    limit: ASKED_FOR,
  };
  return useQuery({
    queryKey: ["tracks", query],
    queryFn: async ({ signal }) => ({
      ...(await answer(api.GET("/api/v1/tracks", { params: { query }, signal }))),
      offset,
    }),
    placeholderData: keepPreviousData, // what was in sight stays until the answer is there
  });
}

/** Track → the job that works at it now, which knows more than the list does. */
function useActiveJobs(): ReadonlyMap<string, Job> {
  const { data } = useQuery<Jobs>({ queryKey: ["jobs"], enabled: false });
  return new Map(
    (data?.jobs ?? []).flatMap((job) => (job.track !== null && isActive(job) ? [[job.track, job] as const] : [])),
  );
}

interface ColumnProps {
  view: View;
  setView: (view: View) => void;
  sort: Sort;
  label: string;
}

function Column({ view, setView, sort, label }: ColumnProps) {
  const by = view.sort === sort;
  const order = view.descending ? "descending" : "ascending";
  return (
    <span role="columnheader" className={`cell-${sort}`} aria-sort={by ? order : "none"}>
      <button type="button" className="column" onClick={() => setView(sortedBy(view, sort))}>
        {label}
        {by && <span aria-hidden="true"> {view.descending ? "↓" : "↑"}</span>}
      </button>
    </span>
  );
}

function Nothing({ view, setView, states }: { view: View; setView: (view: View) => void; states: Record<string, number> }) {
  if (Object.values(states).every((number) => number === 0)) {
    return (
      <div className="empty">
        <h2>No tracks yet</h2>
        <p>Drop a recording anywhere on this page, or have one composed from words. Hear it as soon as it is through.</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <h2>Nothing matches</h2>
      <p>
        <button type="button" className="button" onClick={() => setView({ ...EVERYTHING, sort: view.sort })}>
          Show all tracks
        </button>
      </p>
    </div>
  );
}

/** Once the row is drawn, which takes a frame or two after scrolling to it. */
function focusRow(body: HTMLElement | null, index: number, until = performance.now() + PATIENCE_MS): void {
  requestAnimationFrame(() => {
    const link = body?.querySelector<HTMLElement>(`[data-index="${index}"] a`);
    if (link) link.focus({ preventScroll: true });
    else if (performance.now() < until) focusRow(body, index, until);
  });
}
