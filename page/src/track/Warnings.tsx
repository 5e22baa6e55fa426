import type { Track } from "../api/schema.ts";
import { typeset } from "../format.ts";

/** What a listener should know first, in sentences. */
export function Warnings({ track }: { track: Track }) {
  const { accepted, reasons } = track.quality;
  const refused = accepted === false && reasons.length > 0 ? [`Not accepted: ${reasons.join("; ")}.`] : [];
  const lines = [...new Set([...refused, ...track.warnings])];
  if (lines.length === 0) return null;
  return (
    <section className="warnings" aria-label="Warnings">
      <ul>
        {lines.map((line) => (
          <li key={line}>{typeset(line)}</li>
        ))}
      </ul>
    </section>
  );
}
