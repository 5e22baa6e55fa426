import { choosing, type Draft } from "./draft.ts";
import { fieldName } from "./told.ts";

/** What was chosen beside the words, which counts whatever they say. */
export function Chosen({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  const names = [...new Set(Object.entries(draft.asked).flatMap(([field, value]) => (value === null ? [] : [fieldName(field)])))];
  if (names.length === 0) return null;
  return (
    <p className="small compose-chosen">
      Your choice counts, whatever the words say: {names.join(", ")}.
      <button
        type="button"
        className="compose-undo"
        onClick={() => onChange(choosing(draft, Object.fromEntries(Object.keys(draft.asked).map((field) => [field, undefined]))))}
      >
        Undo all<span className="unseen"> choices</span>
      </button>
    </p>
  );
}
