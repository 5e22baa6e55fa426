/** What was understood of words, as people say it. */
import type { CompositionReading } from "../api/schema.ts";
import { clock, words } from "../format.ts";
import { sentence } from "../stages.ts";

const BESIDE = "said beside the prompt"; // as the server calls what was chosen

const NAMES: Readonly<Record<string, string>> = {
  bpm: "Tempo",
  duration_s: "Length",
  bars: "Bars",
  structure: "Form",
  sections: "Form",
  players: "Who plays",
  without: "Left out",
  reference_name: "In the style of",
  vocals_wanted: "Singing",
};

const SPELT: Readonly<Record<string, string>> = {
  drum_and_bass: "drum and bass",
  edm_festival: "festival EDM",
  hip_hop: "hip-hop",
  lofi_hip_hop: "lo-fi hip-hop",
  rnb_soul: "R&B, soul",
  uk_garage: "UK garage",
  jazz_swing: "jazz, swing",
  latin_salsa: "salsa",
  classical_baroque: "classical, baroque",
  afrobeat: "Afrobeat",
};

export function fieldName(field: string): string {
  return NAMES[field] ?? sentence(words(field));
}

/** deep_house → deep house. */
export function spelt(name: string): string {
  return SPELT[name] ?? words(name);
}

/** pre_chorus → pre-chorus. */
export function sectionName(name: string): string {
  return name.replaceAll("_", "-");
}

export function roleName(role: string): string {
  return role === "countermelody" ? "counter-melody" : role;
}

/** "synth bass", "piano (melody)": the role where it isn't in the name. */
export function playerName(instrument: string, role: string): string {
  return instrument.includes(role) ? spelt(instrument) : `${spelt(instrument)} (${roleName(role)})`;
}

/** A reading's value, with its unit. */
export function valueOf({ field, value }: Pick<CompositionReading, "field" | "value">): string {
  if (field === "bpm") return `${value} BPM`;
  if (field === "duration_s") return clock(Number(value));
  if (field === "swing" && !Number.isNaN(Number(value))) return Number(value) === 0.5 ? "straight" : `off-beat at ${value} of the beat`;
  if (field === "structure") return sectionName(value);
  if (field === "sections") return sectionName(value).replaceAll(/ [\d.]+(?=,|$)/g, ""); // without energies
  const parts = value.split(", ");
  if (field === "players") return parts.map((part) => playerName(...(part.split(" ") as [string, string]))).join(", ");
  return parts.map(spelt).join(", ");
}

/** Where a value is from: "from “deep house”", "assumed", "your choice". */
export function originOf({ how, words: said }: CompositionReading): string {
  if (how === "assumed") return "assumed";
  if (how === "reference") return `heard in “${said}”`;
  if (said === BESIDE) return "your choice";
  return how === "implied" ? `suggested by “${said}”` : `from “${said}”`;
}

/** Where what is composed has a field's value from; a range that was said comes before what was taken out of it. */
export function originOfField(readings: readonly CompositionReading[], ...fields: readonly string[]): string {
  const found = readings.filter((reading) => fields.includes(reading.field));
  const reading = found.find(({ how }) => how !== "assumed") ?? found[0];
  return reading === undefined ? "" : originOf(reading);
}

/** Said and implied, and assumed, as rows to be read: one for each field. */
export function rowsOf(readings: readonly CompositionReading[], assumed: boolean, but: readonly string[] = []) {
  return readings
    .filter(({ field, how }) => (how === "assumed") === assumed && !but.includes(field))
    .map((reading) => ({ name: fieldName(reading.field), value: valueOf(reading), origin: originOf(reading), field: reading.field }));
}

/** A remark of the server's, which may begin with a field: "bpm: 60 bpm against fast" → "Tempo: 60 bpm against fast". */
export function remarkOf(line: string): string {
  return line.replace(/^(genre|bpm|key|metre|structure|bars|duration_s|mood|vocals_wanted|instruments): /, (_, field: string) => `${fieldName(field)}: `);
}

/** Seconds of "3:20", "200", "1:02:03"; null of what is no length. */
export function secondsOf(text: string): number | null {
  const parts = text.trim().split(":");
  if (parts.length > 3 || !parts.every((part) => /^\d+$/.test(part))) return null;
  if (parts.slice(1).some((part) => part.length !== 2 || Number(part) > 59)) return null;
  return parts.reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** "Composed by rules". */
export function labelOf(label: string): string {
  return sentence(label);
}
