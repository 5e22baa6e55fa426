/** A composition's whole form, and all its players, as they are edited: what is chosen counts, whatever the words say. */
import type { CompositionInstrument } from "../api/schema.ts";
import { sentence } from "../stages.ts";
import type { Draft } from "./draft.ts";
import { playerName, sectionName } from "./told.ts";

export interface Section {
  name: string;
  bars: number;
  /** 0 to 1 */
  energy: number;
}

export interface Playing {
  instrument: string;
  role: string;
}

export const MOST_BARS = 1024; // of a section
export const MOST_SECTIONS = 64;
export const MOST_PLAYERS = 16;

/** As chosen; as it would be composed, where nothing was. */
export function sectionsOf(draft: Draft, composed: readonly Section[]): readonly Section[] {
  return (draft.asked["sections"] as Section[] | undefined) ?? composed;
}

export function playersOf(draft: Draft, composed: readonly Playing[]): readonly Playing[] {
  return (draft.asked["players"] as Playing[] | undefined) ?? composed;
}

/** What a form says whole lets go of all that would say it in parts; of none, the words count again. */
export function choosingSections(sections: readonly Section[] | undefined): Record<string, unknown> {
  const parts = { structure: undefined, bars: undefined, duration_s: undefined, energy: undefined };
  return { ...parts, sections: sections?.length === 0 ? undefined : sections };
}

export function choosingPlayers(players: readonly Playing[] | undefined): Record<string, unknown> {
  const parts = { instruments: undefined, without: undefined, vocals_wanted: undefined };
  return { ...parts, players: players?.length === 0 ? undefined : players };
}

/** The row at one place goes to another. */
export function moved<T>(rows: readonly T[], from: number, to: number): T[] {
  const row = rows[from];
  if (row === undefined || to < 0 || to >= rows.length) return [...rows];
  return rows.toSpliced(from, 1).toSpliced(to, 0, row);
}

/** A section like the last one but for its name. */
export function withSection(sections: readonly Section[], name: string): Section[] {
  const { bars, energy } = sections.at(-1) ?? { bars: 8, energy: 0.5 };
  return [...sections, { name, bars, energy }];
}

function rolesOf(instruments: readonly CompositionInstrument[], name: string): readonly string[] {
  return instruments.find((instrument) => instrument.name === name)?.roles ?? [];
}

/** What an instrument can play; at least what it does. */
export function rolesFor(instruments: readonly CompositionInstrument[], { instrument, role }: Playing): readonly string[] {
  const roles = rolesOf(instruments, instrument);
  return roles.includes(role) ? roles : [role, ...roles];
}

/** Another instrument in the same role; in what it plays most, where it can't play that. */
export function playedBy(instruments: readonly CompositionInstrument[], instrument: string, role: string): Playing {
  const roles = rolesOf(instruments, instrument);
  return { instrument, role: roles.includes(role) ? role : (roles[0] ?? role) };
}

/** One more, in the first role of its that nobody has. */
export function withPlayer(instruments: readonly CompositionInstrument[], players: readonly Playing[], instrument: string): Playing[] {
  const roles = rolesOf(instruments, instrument);
  const open = roles.find((role) => !players.some((one) => one.role === role)) ?? "";
  return [...players, playedBy(instruments, instrument, open)];
}

/** "Intro 4, verse 8, pre-chorus 4". */
export function formLine(sections: readonly Section[]): string {
  return sentence(sections.map(({ name, bars }) => `${sectionName(name)} ${bars}`).join(", "));
}

/** "Drums, bass, piano (chords), piano (melody)". */
export function playersLine(players: readonly Playing[]): string {
  return sentence(players.map(({ instrument, role }) => playerName(instrument, role)).join(", "));
}
