/** The stems as a small mixing desk. */
import { useQuery } from "@tanstack/react-query";
import type { Track, Version } from "../../api/schema.ts";
import { announce } from "../../design/announce.tsx";
import { briefQuery } from "../brief/query.ts";
import { useDraft } from "../brief/draft.ts";
import { same } from "../brief/schema.ts";
import { usePlayer, usePlayerState } from "../usePlayer.ts";
import { type StemStrip, asBrief, asMixed, gainOf, versionsByStem } from "./mixer.ts";
import "./mixer.css";
import { StripView } from "./StripView.tsx";
import type { Mixer } from "./useMixer.ts";

interface Props {
  track: Track;
  mixer: Mixer;
  /** To where the brief is. */
  onBrief: () => void;
}

export function MixerPanel({ track, mixer, onBrief }: Props) {
  const player = usePlayer();
  const state = usePlayerState();
  const byStem = versionsByStem(track.versions);
  const written = new Set(
    track.stages
      .filter((stage) => stage.stage === "midi")
      .flatMap((stage) => stage.results.map((result) => result.name.replace(/\.mid$/, ""))),
  );
  const { strips, set } = mixer;
  const change = (stem: string, some: Partial<StemStrip>) =>
    set(
      strips.map((strip) => (strip.stem === stem ? { ...strip, ...some } : strip)),
      !("notesSeen" in some || "notesHeard" in some), // notes go with whatever is heard
    );
  const mixed = asMixed(track.versions);
  const levels = (of: (stem: string) => number) => set(strips.map((strip) => ({ ...strip, level_db: of(strip.stem) })));
  const movedAny = mixed.some((strip) => strip.level_db !== 0);
  return (
    <section className="mixer" aria-label="Mixer">
      <div className="mixer-tools">
        <button
          type="button"
          className="button"
          aria-pressed={state.mixing}
          onClick={() => (state.mixing ? player.hear("mix") : set(strips))}
        >
          Hear the mixer
        </button>
        <button type="button" className="button" onClick={() => levels((stem) => gainOf(byStem.get(stem) ?? []))}>
          Levels as the mix has them
        </button>
        <button type="button" className="button" disabled={!movedAny} onClick={() => levels(() => 0)}>
          Undo what the mix moved
        </button>
        <button type="button" className="button quiet" onClick={() => set(mixed)}>
          Reset all
        </button>
        <UseLevels track={track} strips={strips} mixed={mixed} onBrief={onBrief} />
        <p className="small soft">
          {movedAny
            ? "Levels only: what else the mix did (tone, compression, room) is heard in the version “Mix”."
            : "The mix left all stems at their levels."}
        </p>
      </div>
      <div className="strips">
        {strips.map((strip) => (
          <StripView
            key={strip.stem}
            strip={strip}
            members={byStem.get(strip.stem) as Version[]}
            moved_db={gainOf(byStem.get(strip.stem) ?? [])}
            written={written.has(strip.stem)}
            onChange={(some) => change(strip.stem, some)}
          />
        ))}
      </div>
    </section>
  );
}

interface UseProps {
  track: Track;
  strips: readonly StemStrip[];
  mixed: readonly StemStrip[];
  onBrief: () => void;
}

/** What was moved here, as changes of the brief that are still to be applied. */
function UseLevels({ track, strips, mixed, onBrief }: UseProps) {
  const key = track.summary.track;
  const brief = useQuery(briefQuery(key));
  const [draft, setDraft] = useDraft(key);
  const plan = track.stages.find((stage) => stage.stage === "mix_plan")?.measures ?? {};
  const value = (name: string) => brief.data?.values.find((one) => one.name === name)?.value;
  const wished = (stem: string) => {
    const level = plan[`${stem}_wished_db`];
    return typeof level === "number" ? level : 0;
  };
  const asked = Object.entries(asBrief(strips, mixed, wished, value)).filter(([name, level]) => !same(level, value(name)));
  const unmoved = asked.length === 0;
  return (
    <button
      type="button"
      className="button primary"
      disabled={unmoved || brief.data === undefined}
      title={unmoved ? "Move a level first" : "Into the brief as gains and widths, where you apply them: mix and master are then made anew"}
      onClick={() => {
        const names = asked.map(([name]) => name);
        setDraft({
          set: { ...draft.set, ...Object.fromEntries(asked) },
          unset: draft.unset.filter((name) => !names.includes(name)),
        });
        announce("The levels are in the brief, not applied yet");
        onBrief();
      }}
    >
      Use these levels
    </button>
  );
}
