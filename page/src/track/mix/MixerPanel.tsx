/** The stems as a small mixing desk. */
import type { Track, Version } from "../../api/schema.ts";
import { usePlayer, usePlayerState } from "../usePlayer.ts";
import { type StemStrip, asMixed, gainOf, versionsByStem } from "./mixer.ts";
import "./mixer.css";
import { StripView } from "./StripView.tsx";
import type { Mixer } from "./useMixer.ts";

export function MixerPanel({ track, mixer }: { track: Track; mixer: Mixer }) {
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
