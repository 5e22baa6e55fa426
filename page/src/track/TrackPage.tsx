/** One track: heard, compared, mixed, judged, taken away. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { ProblemError, lineOf } from "../api/client.ts";
import type { Track } from "../api/schema.ts";
import { trackQuery } from "../api/track.ts";
import { useRemoving } from "../library/RemoveDialog.tsx";
import { useRemembered } from "../remembered.ts";
import { AbxPanel } from "./abx/AbxPanel.tsx";
import { BriefPanel } from "./brief/BriefPanel.tsx";
import { changesIn, useDraft } from "./brief/draft.ts";
import { ComparePanel } from "./ComparePanel.tsx";
import { Composed } from "./Composed.tsx";
import { ExportPanel } from "./ExportPanel.tsx";
import { Heading } from "./Heading.tsx";
import { SHORTCUTS, useKeyboard } from "./keyboard.ts";
import { MixerPanel } from "./mix/MixerPanel.tsx";
import { useMixer } from "./mix/useMixer.ts";
import "./panels.css";
import { Progress } from "./Progress.tsx";
import { Timeline } from "./see/Timeline.tsx";
import { StagesPanel } from "./StagesPanel.tsx";
import { Tabs } from "./Tabs.tsx";
import "./track.css";
import { PlayAndTime, Transport } from "./Transport.tsx";
import { ThePlayer, durationOf, useNewPlayer } from "./usePlayer.ts";
import { Versions } from "./Versions.tsx";
import { Warnings } from "./Warnings.tsx";

export function TrackPage({ track }: { track: string }) {
  const removing = useRemoving(track);
  const known = useQuery({
    ...trackQuery(track),
    enabled: !removing,
    refetchInterval: (query) => (query.state.data?.measuring ? MEASURING_MS : false),
  });
  const player = useNewPlayer(track, known.data);
  useKeyboard(player, known.data?.versions ?? NONE, known.data?.music?.beats_s ?? NONE);
  const removed = known.error instanceof ProblemError && known.error.status === 404;
  if (known.isError && (removed || known.data === undefined)) {
    return (
      <section className="empty">
        <p role="alert">{removed && known.data !== undefined ? "This track was removed." : lineOf(known.error)}</p>
        <p>
          <Link href="/">To the library</Link>
        </p>
      </section>
    );
  }
  if (known.data === undefined || player === null) return <p className="waiting">Opening…</p>;
  return (
    <ThePlayer value={player}>
      <Opened track={known.data} />
    </ThePlayer>
  );
}

const NONE: never[] = [];
const MEASURING_MS = 3000; // a stem of three minutes is measured in one

function Opened({ track }: { track: Track }) {
  const [tab, setTab] = useRemembered("track-tab", "compare");
  const [draft] = useDraft(track.summary.track);
  const [toChanges, setToChanges] = useState(false);
  const goToBrief = () => {
    setToChanges(true);
    setTab("brief");
  };
  const mixer = useMixer(track);
  const removing = useRemoving(track.summary.track);
  const notes = mixer.strips.filter((strip) => strip.notesSeen).map((strip) => strip.stem);
  const hearable = track.versions.length > 0;
  const stems = track.versions.some((version) => version.stem !== null);
  return (
    <article className="track">
      <title>{`${track.summary.title} – Resonate`}</title>
      <Heading track={track} />
      <Progress track={track} />
      <Composed track={track} />
      <Warnings track={track} />
      {hearable && !removing && (
        <>
          <div className="player-bar card">
            <PlayAndTime duration_s={durationOf(track)} />
            <Versions track={track} />
          </div>
          <Transport />
          <Timeline track={track} notes={notes} />
          <Shortcuts />
        </>
      )}
      <Tabs
        label="About this track"
        chosen={tab}
        onChoose={(id) => {
          setToChanges(false);
          setTab(id);
        }}
        tabs={[
          { id: "compare", label: "Before and after", panel: <ComparePanel track={track} /> },
          ...(stems ? [{ id: "mixer", label: "Mixer", panel: <MixerPanel track={track} mixer={mixer} onBrief={goToBrief} /> }] : []),
          { id: "brief", label: "Brief", badge: changesIn(draft) > 0 ? "not applied yet" : null, panel: <BriefPanel track={track} toChanges={toChanges} /> },
          ...(track.versions.length > 1 ? [{ id: "abx", label: "Blind test", panel: <AbxPanel track={track} /> }] : []),
          { id: "stages", label: "What was done", panel: <StagesPanel track={track} /> },
          { id: "export", label: "Export", panel: <ExportPanel track={track} /> },
        ]}
      />
    </article>
  );
}

function Shortcuts() {
  return (
    <details className="shortcuts small soft">
      <summary>Keys</summary>
      <dl>
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd className="key">{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
