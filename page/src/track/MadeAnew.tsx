/** The recording made anew beside it restored: offered, heard one over the other, and asked for. Nothing is replaced. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { lineOf } from "../api/client.ts";
import type { Track } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import { percent } from "../format.ts";
import { briefQuery, changeBrief, useNoted } from "./brief/query.ts";
import { asBrief, type Both, bothOf, noiseLine, type Wanted, wantedLine, wantedOf, whyNothing } from "./madeAnew.ts";
import { usePlayer, usePlayerState } from "./usePlayer.ts";

const GENERATE = { "restoration.mode": "generate" };
const RESTORE = { "restoration.mode": "restore" };

export function MadeAnew({ track }: { track: Track }) {
  const key = track.summary.track;
  const brief = useQuery(briefQuery(key));
  const noted = useNoted(key);
  const ask = useMutation({
    mutationFn: (set: Record<string, unknown>) => changeBrief(key, { set, unset: [], process: true }),
    onSuccess: (changed, set) => {
      const made = set["restoration.mode"] === "restore" ? "The restored recording counts alone." : "It is being made anew.";
      noted(changed, `The brief is changed. ${changed.job === null ? "Nothing needs to be made anew." : made}`);
    },
  });
  const both = bothOf(track);
  if (brief.data === undefined || track.composed !== null) return null;
  const wanted = wantedOf(brief.data);
  const props = { track, wanted, pending: ask.isPending, onAsk: (set: Record<string, unknown>) => ask.mutate(set) };
  return (
    <section className="card block-card made-anew" aria-labelledby="made-anew">
      <h2 id="made-anew">
        Restored or made anew {both !== null && <span className="badge active">{both.label}</span>}
      </h2>
      {both === null ? <Offer {...props} /> : <Blend {...props} both={both} />}
      {ask.isError && (
        <p className="alert small" role="alert">
          {lineOf(ask.error)}
        </p>
      )}
    </section>
  );
}

interface Props {
  track: Track;
  wanted: Wanted;
  pending: boolean;
  onAsk: (set: Record<string, unknown>) => void;
}

function Offer({ track, wanted, pending, onAsk }: Props) {
  const working = track.summary.state === "queued" || track.summary.state === "running";
  const asked = wanted.mode !== "restore";
  return (
    <>
      <p className="small">
        Its notes, as they were heard, can be played anew by instruments, without the noise. That stands beside the restored
        recording, as long and as loud, to be compared and blended with it; the recording, its mix and its master stay as
        they are. {noiseLine(track)}
      </p>
      {asked && <p className="small soft">{working ? "It is being made." : [wantedLine(wanted), ...whyNothing(track)].join(" ")}</p>}
      <p className="actions">
        <button type="button" className="button" disabled={pending || wanted.mode === "generate"} onClick={() => onAsk(GENERATE)}>
          Make anew
        </button>
        {asked && (
          <button type="button" className="button quiet" disabled={pending} onClick={() => onAsk(RESTORE)}>
            As restored
          </button>
        )}
      </p>
    </>
  );
}

function Blend({ both, wanted, pending, onAsk }: Props & { both: Both }) {
  const player = usePlayer();
  const state = usePlayerState();
  const [moved, setMoved] = useState<number | null>(null);
  const share = moved ?? both.share;
  const [from, to] = [both.restored.id, both.generated.id];
  const heard = state.blend !== null && state.blend.to === to;
  const alone = (id: string) => !state.blind && !state.mixing && state.blend === null && state.version === id;
  const hear = (now: number) => player.blend({ from, to, share: now });
  const used = share === 0 ? wanted.mode === "restore" : wanted.mode === "blend" && wanted.blend === share;
  return (
    <>
      <p className="small">
        One over the other, in step and equally loud, with equal power. Nothing is replaced: mix and master are made of the
        recording as it is restored.
      </p>
      <label htmlFor="blend" className="blend-ends small">
        <span>{both.restored.label}</span>
        <span className="figures">
          <span className="unseen">Blend: </span>
          {percent(share)} made anew
        </span>
        <span>{both.label}</span>
      </label>
      <input
        id="blend"
        type="range"
        className="slider"
        min={0}
        max={1}
        step={0.01}
        value={share}
        disabled={state.blind}
        aria-valuetext={`${percent(share)} made anew`}
        onChange={(event) => {
          setMoved(event.target.valueAsNumber);
          hear(event.target.valueAsNumber);
        }}
      />
      <div className="actions" role="group" aria-label="Compare">
        {(
          [
            [both.restored.label, alone(from), () => player.hear(from)],
            ["The blend", heard, () => hear(share)],
            ["Made anew", alone(to), () => player.hear(to)],
          ] as const
        ).map(([name, pressed, listen]) => (
          <button
            key={name}
            type="button"
            className="button"
            aria-pressed={pressed}
            disabled={state.blind}
            onClick={() => {
              listen();
              announce(`You hear ${name}`);
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <p className="small soft">{wantedLine(wanted)}</p>
      <div className="actions">
        <button type="button" className="button primary" disabled={used || pending} onClick={() => onAsk(asBrief(share))}>
          Use this blend
        </button>
        <button type="button" className="button" disabled={pending || wanted.mode === "restore"} onClick={() => onAsk(RESTORE)}>
          As restored
        </button>
      </div>
    </>
  );
}
