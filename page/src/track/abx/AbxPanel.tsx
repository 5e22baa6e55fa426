/** Listening tests: set up, gone through, kept. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, lineOf } from "../../api/client.ts";
import type { AbxResult, Track } from "../../api/schema.ts";
import { clock } from "../../format.ts";
import { useRemembered } from "../../remembered.ts";
import { fullName, inOrder } from "../labels.ts";
import { usePlayer, usePlayerState } from "../usePlayer.ts";
import { Records } from "./Records.tsx";
import { Test } from "./Test.tsx";
import { FEWEST } from "./trials.ts";
import "./abx.css";

export interface Setup {
  a: string;
  b: string;
  trials: number;
  listener: string;
}

export function AbxPanel({ track }: { track: Track }) {
  const key = track.summary.track;
  const path = { track: key };
  const queries = useQueryClient();
  const [setup, setSetup] = useState<Setup | null>(null);
  const [last, setLast] = useState<Setup | null>(null);
  const records = useQuery({
    queryKey: ["track", key, "abx"],
    queryFn: () => answer(api.GET("/api/v1/tracks/{track}/abx", { params: { path } })),
  });
  const keep = useMutation({
    mutationFn: (body: AbxResult) => answer(api.POST("/api/v1/tracks/{track}/abx", { params: { path }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["track", key, "abx"] }),
  });
  return (
    <div className="columns">
      {setup === null ? (
        <Prepare track={track} last={last} onStart={setSetup} />
      ) : (
        <Test
          setup={setup}
          keeping={keep.isPending}
          onDone={(result) => keep.mutate(result)}
          onLeave={() => {
            setLast(setup);
            setSetup(null);
            keep.reset();
          }}
        />
      )}
      {keep.error !== null && (
        <div className="alert" role="alert">
          The result is not kept: {lineOf(keep.error)}{" "}
          <button type="button" className="button tight" onClick={() => keep.mutate(keep.variables as AbxResult)}>
            Try again
          </button>
        </div>
      )}
      <Records track={track} tests={records.data?.tests ?? []} problem={records.isError ? lineOf(records.error) : null} />
    </div>
  );
}

interface PrepareProps {
  track: Track;
  /** As the test before was set up. */
  last: Setup | null;
  onStart: (setup: Setup) => void;
}

function Prepare({ track, last, onStart }: PrepareProps) {
  const player = usePlayer();
  const state = usePlayerState();
  const ordered = inOrder(track.versions);
  const [a, setA] = useState(last?.a ?? "original");
  const [b, setB] = useState(
    last?.b ?? ordered.find((version) => version.group === "master")?.id ?? ordered[1]?.id ?? "original",
  );
  const [trials, setTrials] = useState(last?.trials ?? 16);
  const [listener, setListener] = useRemembered("listener", "");
  const { region } = state;
  const choose = (label: string, value: string, set: (id: string) => void) => (
    <label className="labelled">
      {label}
      <select className="field" value={value} onChange={(event) => set(event.target.value)}>
        {ordered.map((version) => (
          <option key={version.id} value={version.id}>
            {fullName(version)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <form
      className="card block-card abx"
      aria-labelledby="abx"
      onSubmit={(event) => {
        event.preventDefault();
        if (region !== null) player.setLooping(true);
        onStart({ a, b, trials, listener });
      }}
    >
      <h2 id="abx">Can you hear a difference?</h2>
      <p className="small soft">
        X is A or B, and you say which, as often as you like to listen. Ten trials at least; whether you were right is
        told at the end.
      </p>
      <div className="abx-fields">
        {choose("A", a, setA)}
        {choose("B", b, setB)}
      <label className="labelled">
        Trials
        <input
          className="field number"
          type="number"
          min={FEWEST}
          max={100}
          required
          value={Number.isNaN(trials) ? "" : trials}
          onChange={(event) => setTrials(event.target.valueAsNumber)}
        />
      </label>
      <label className="labelled">
        Listener
        <input className="field" maxLength={100} value={listener} placeholder="your name, if you like" onChange={(event) => setListener(event.target.value)} />
        </label>
      </div>
      <p className="small soft">
        {region === null
          ? "The whole track is heard. Drag over the waveform to choose a region that is looped."
          : `Heard is ${clock(region.start_s)} to ${clock(region.end_s)}, looped.`}{" "}
        {state.match ? "Both are equally loud." : "Loudness is not matched: the louder one will be told by that."}
      </p>
      <button type="submit" className="button primary" disabled={a === b}>
        Start
      </button>
    </form>
  );
}
