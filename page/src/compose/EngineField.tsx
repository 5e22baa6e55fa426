import { useQuery } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import type { CompositionEngines } from "../api/schema.ts";
import type { Draft } from "./draft.ts";
import { labelOf } from "./told.ts";

/** Undefined until they are known. */
export function useEngines(): CompositionEngines | undefined {
  return useQuery({
    queryKey: ["composition-engines"],
    queryFn: () => answer(api.GET("/api/v1/compositions/engines")),
    staleTime: 60_000, // weights may be put there meanwhile
  }).data;
}

interface Props {
  draft: Draft;
  engines: CompositionEngines | undefined;
  onChange: (draft: Draft) => void;
}

/** What makes the sound, on what terms; and what others lack. */
export function EngineField({ draft, engines, onChange }: Props) {
  if (engines === undefined) return null;
  const chosen = engines.engines.find(({ name }) => name === draft.engine);
  const lacking = engines.engines.filter(({ lacks }) => lacks !== "");
  return (
    <div className="compose-field">
      <label htmlFor="compose-engine">Made by</label>
      <select
        id="compose-engine"
        className="field"
        value={draft.engine}
        aria-describedby="compose-engine-terms"
        aria-invalid={chosen === undefined || chosen.lacks !== ""}
        onChange={(event) => onChange({ ...draft, engine: event.target.value })}
      >
        {chosen === undefined && <option value={draft.engine}>{draft.engine} (not known here)</option>}
        {engines.engines.map(({ name, lacks }) => (
          <option key={name} value={name} disabled={lacks !== ""}>
            {lacks === "" ? name : `${name} (can’t run here)`}
          </option>
        ))}
      </select>
      <p id="compose-engine-terms" className="small soft">
        {chosen === undefined ? "Choose another one." : `Will be labelled “${labelOf(chosen.label)}”. Licence: ${chosen.licence}`}
        {chosen !== undefined && chosen.lacks !== "" && <span className="compose-wrong"> It can’t run here. {chosen.lacks}</span>}
      </p>
      {lacking.length > 0 && (
        <details className="small soft">
          <summary>What the others need</summary>
          <ul className="compose-lacks">
            {lacking.map(({ name, label, licence, lacks }) => (
              <li key={name}>
                {name} ({label}; {licence}): {lacks.replace(`${name}: `, "")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
