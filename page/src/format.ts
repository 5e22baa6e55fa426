/** Values as people read them. What is not known is an en dash. */
const UNKNOWN = "–";
const STEP = 1000;

/** Of a part from 0 to 1. */
export function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}

/** Seconds as 3:07 or 1:02:03. */
export function clock(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return UNKNOWN;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Seconds as a person would say how long it takes: "about 40 s", "about 3 min", "about 2 h 10 min". */
export function about(seconds: number): string {
  if (seconds < 55) return `about ${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `about ${minutes} min`;
  const rest = minutes % 60;
  return `about ${Math.floor(minutes / 60)} h${rest === 0 ? "" : ` ${rest} min`}`;
}

/** Bytes in powers of a thousand, as disks are sold: 1.3 GB. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = bytes;
  while (left >= STEP - 0.5 && at < units.length - 1) {
    left /= STEP;
    at += 1;
  }
  return `${at === 0 || left >= 9.95 ? Math.round(left) : left.toFixed(1)} ${units[at]}`;
}

/** A number with a unit and a true minus. */
export function measure(value: number | null, unit: string, digits = 1): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  return `${value.toFixed(digits).replace("-", "−")}${unit && " "}${unit}`;
}

/** A score of the master against the original, which is no verdict. */
export function likeness(score: number): string {
  return `like the original: ${Math.round(score)} of 100`;
}

export function tempo(bpm: number | null): string {
  return bpm === null ? UNKNOWN : String(Math.round(bpm));
}

/** "1 track", "3,000 tracks". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;
}

/** restored_stems → restored stems. */
export function words(identifier: string): string {
  return identifier.replaceAll("_", " ");
}

/** A moment as the reader's own clock has it, of the ISO text that the server gives. */
export function moment(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return UNKNOWN;
  return at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

const HYPHEN = /(?<=^|[\s(±,])-(?=\d)/g; // in front of a number

/** A line of the server's with true minus signs, sharps and flats. */
export function typeset(line: string): string {
  return musical(line).replaceAll(HYPHEN, "−");
}

const SHARP = /(?<![A-Za-z0-9])([A-G])#/g; // of a note's name, also after a slash
const FLAT = /(?<![A-Za-z0-9])([A-G])b(?=$|[^a-z]|m|sus|dim|aug|add)/g; // Bb, Ebm7, Absus4, and no word such as Abel

/** Keys and chords with ♯ and ♭: F# minor → F♯ minor, Bbm7 → B♭m7. */
export function musical(text: string): string {
  return text.replaceAll(SHARP, "$1♯").replaceAll(FLAT, "$1♭");
}

/** As it is said: screen readers pass over ♯ and ♭, or read "F number". */
export function spoken(text: string): string {
  return musical(text).replaceAll("♯", " sharp").replaceAll("♭", " flat");
}
