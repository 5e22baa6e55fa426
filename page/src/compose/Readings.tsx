import type { CompositionReading } from "../api/schema.ts";
import { Musical } from "../design/Musical.tsx";
import { rowsOf } from "./told.ts";

const CHOSEN = ["genre", "bpm", "key", "metre", "mood", "bars", "duration_s", "structure", "sections", "instruments", "players"]; // stand above, to be changed

/** What was understood and assumed beside what can be chosen. */
export function Readings({ readings }: { readings: readonly CompositionReading[] }) {
  const assumed = rowsOf(readings, true, CHOSEN);
  return (
    <>
      <Rows rows={rowsOf(readings, false, CHOSEN)} />
      {assumed.length > 0 && (
        <details className="small">
          <summary>Also assumed: {assumed.map(({ name }) => name.toLowerCase()).join(", ")}</summary>
          <Rows rows={assumed} told={false} />
        </details>
      )}
    </>
  );
}

interface RowsProps {
  rows: ReturnType<typeof rowsOf>;
  /** Whether it stands beside each where it is from. */
  told?: boolean;
}

export function Rows({ rows, told = true }: RowsProps) {
  if (rows.length === 0) return null;
  return (
    <dl className="compose-rows small">
      {rows.map(({ field, name, value, origin }) => (
        <div key={`${field} ${value}`}>
          <dt className="soft">{name}</dt>
          <dd>
            <Musical text={value} />
            {told && <span className="soft"> {origin}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
