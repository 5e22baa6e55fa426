/** Keys of the track page. Not while one writes, nor with a modifier, nor in a dialogue. */
import { useEffect } from "react";
import type { Version } from "../api/schema.ts";
import { announce } from "../design/announce.tsx";
import type { Player } from "../player/player.ts";
import { keysOf, nameOf } from "./labels.ts";

export const SHORTCUTS: readonly [string, string][] = [
  ["Space", "play, pause"],
  ["1, 2, 3", "hear original, mix, master"],
  ["4 – 9", "hear vocals, drums, bass, other, piano, guitar"],
  ["← →", "5 s back, on; with Shift a beat"],
  ["Home", "to the start"],
  ["L", "loop the region"],
  ["I, O", "the region begins, ends here"],
  ["M", "match loudness"],
];

const STEP_S = 5;
const BEAT_S = 0.5; // where the beats are not known

export function useKeyboard(player: Player | null, versions: readonly Version[], beats_s: readonly number[]): void {
  useEffect(() => {
    if (player === null) return undefined;
    const keys = keysOf(versions);
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
      if (act(player, keys, beats_s, event)) event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [player, versions, beats_s]);
}

function act(player: Player, keys: ReadonlyMap<string, Version>, beats_s: readonly number[], event: KeyboardEvent): boolean {
  const position = player.position;
  const { key } = event;
  if (key === " ") {
    // What one has gone to by keyboard is what the space bar presses; what was clicked gives way.
    if (event.target instanceof HTMLElement && event.target.matches("button, a, summary, [role=tab], input")) {
      if (event.target.matches(":focus-visible")) return false;
      event.target.blur();
    }
    player.toggle();
    return true;
  }
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const way = key === "ArrowLeft" ? -1 : 1;
    player.seek(event.shiftKey ? beatFrom(position, way, beats_s) : position + way * STEP_S);
    return true;
  }
  if (/^[1-9]$/.test(key)) {
    const version = keys.get(key);
    if (player.state.blind) return false;
    if (version === undefined) {
      announce("There is nothing to hear by this key yet");
      return true;
    }
    player.hear(version.id);
    announce(`You hear ${nameOf(version)}`);
    return true;
  }
  return letter(player, key, position);
}

function letter(player: Player, key: string, position: number): boolean {
  const { region, looping, match } = player.state;
  switch (key.toLowerCase()) {
    case "home":
      player.seek(0);
      return true;
    case "l":
      if (region === null) announce("There is no region to loop: I and O choose one");
      else player.setLooping(!looping);
      return true;
    case "m":
      if (player.state.blind) return true;
      player.setMatch(!match);
      announce(match ? "Versions are played as loud as they are" : "Versions are played equally loud");
      return true;
    case "i": {
      const start_s = player.snapped(position);
      player.setRegion({ start_s, end_s: region !== null && region.end_s > start_s ? region.end_s : start_s + STEP_S });
      return true;
    }
    case "o": {
      const end_s = player.snapped(position);
      const start_s = region !== null && region.start_s < end_s ? region.start_s : Math.max(0, end_s - STEP_S);
      if (end_s > start_s) player.setRegion({ start_s, end_s });
      return true;
    }
    default:
      return false;
  }
}

const NEAR_S = 0.05; // the beat one stands on is not the next one

function beatFrom(position: number, way: number, beats_s: readonly number[]): number {
  const next =
    way > 0 ? beats_s.find((beat) => beat > position + NEAR_S) : beats_s.findLast((beat) => beat < position - NEAR_S);
  return next ?? position + way * BEAT_S;
}

const WRITES = 'input:not([type="checkbox"], [type="radio"], [type="button"]), textarea, select, [contenteditable="true"], dialog *';

function writes(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches(WRITES);
}
