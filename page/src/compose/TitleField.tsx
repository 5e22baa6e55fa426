import type { Draft } from "./draft.ts";
import { Field } from "./Fields.tsx";

const LONGEST = 120;

export function TitleField({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  return (
    <Field id="name" label="Title" origin={draft.title.trim() === "" ? "empty: as the words begin" : "your choice"}>
      <input
        id="compose-name"
        className="field"
        autoComplete="off"
        maxLength={LONGEST}
        aria-describedby="compose-name-told"
        value={draft.title}
        onChange={(event) => onChange({ ...draft, title: event.target.value })}
      />
    </Field>
  );
}
