/** A listening test under way. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { AbxResult, AbxTrial } from "../../api/schema.ts";
import { announce } from "../../design/announce.tsx";
import { usePlayer, usePlayerState } from "../usePlayer.ts";
import type { Setup } from "./AbxPanel.tsx";
import { type Letter, chance, hidden, rightOf, verdict } from "./trials.ts";

interface Props {
  setup: Setup;
  keeping: boolean;
  onDone: (result: AbxResult) => void;
  onLeave: () => void;
}

type Heard = Letter | "x";

export function Test({ setup, keeping, onDone, onLeave }: Props) {
  const player = usePlayer();
  const state = usePlayerState();
  const [x, setX] = useState<Letter>(hidden);
  const [trials, setTrials] = useState<readonly AbxTrial[]>([]);
  const [heard, setHeard] = useState<Heard>("a");
  const box = useRef<HTMLElement>(null);
  const done = trials.length >= setup.trials;

  const listen = useCallback(
    (letter: Heard) => {
      setHeard(letter);
      player.compare(setup.a, setup.b, setup[letter === "x" ? x : letter]);
      if (player.state.engine === "paused") player.play();
    },
    [player, setup, x],
  );
  const say = useCallback(
    (answer: Letter) => {
      if (done) return;
      const now = [...trials, { x, answer }];
      setTrials(now);
      setX(hidden());
      setHeard("a");
      player.compare(setup.a, setup.b, setup.a);
      if (now.length < setup.trials) {
        announce(`Trial ${now.length + 1} of ${setup.trials}`);
        return;
      }
      player.pause();
      const { region, match } = player.state;
      announce(verdictOf(now));
      onDone({
        a: setup.a,
        b: setup.b,
        listener: setup.listener,
        start_s: region?.start_s ?? 0,
        end_s: region?.end_s ?? null,
        loudness_matched: match,
        trials: now,
      });
    },
    [done, trials, x, player, setup, onDone],
  );

  useEffect(() => {
    player.setBlind(true);
    player.compare(setup.a, setup.b, setup.a);
    box.current?.focus();
    return () => player.setBlind(false);
  }, [player, setup]);
  useEffect(() => {
    if (done) {
      player.setBlind(false);
      return undefined;
    }
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.matches("input, textarea, select")) return;
      const key = event.key.toLowerCase();
      if (key !== "a" && key !== "b" && key !== "x") return;
      event.preventDefault();
      if (event.shiftKey && key !== "x") say(key);
      else listen(key);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [done, listen, say, player]);

  return (
    <section className="card block-card abx" ref={box} tabIndex={-1} aria-labelledby="abx-running">
      <h2 id="abx-running">{done ? "Done" : `Trial ${trials.length + 1} of ${setup.trials}`}</h2>
      {done ? (
        <p role="status">
          {verdictOf(trials)} {keeping ? "Being kept…" : ""}
        </p>
      ) : (
        <>
          <progress className="progress" max={setup.trials} value={trials.length} aria-label="Trials done" />
          <div className="abx-row" role="group" aria-label="Listen">
            {(["a", "x", "b"] as const).map((letter) => (
              <button
                key={letter}
                type="button"
                className="button abx-letter"
                aria-pressed={heard === letter}
                aria-keyshortcuts={letter.toUpperCase()}
                onClick={() => listen(letter)}
              >
                {letter.toUpperCase()}
              </button>
            ))}
          </div>
          {!state.settled && <p className="small soft">Loading…</p>}
          <div className="abx-row" role="group" aria-label="Answer">
            <button type="button" className="button" aria-keyshortcuts="Shift+A" onClick={() => say("a")}>
              X is A
            </button>
            <button type="button" className="button" aria-keyshortcuts="Shift+B" onClick={() => say("b")}>
              X is B
            </button>
          </div>
          <p className="small soft">Keys: A, B, X to listen; Shift with A or B to answer; Space to pause.</p>
        </>
      )}
      <button type="button" className="button" onClick={onLeave}>
        {done ? "Another test" : "Leave the test"}
      </button>
    </section>
  );
}

function verdictOf(trials: readonly AbxTrial[]): string {
  const right = rightOf(trials);
  return verdict(right, trials.length, chance(right, trials.length));
}
