/** What is wanted of the track: seen, changed, applied; and what was wanted before. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { answer, api, lineOf } from "../../api/client.ts";
import type { BriefChange, BriefChanged, BriefValue, Track } from "../../api/schema.ts";
import { count } from "../../format.ts";
import { madeBy } from "../../stages.ts";
import { title } from "../labels.ts";
import "./brief.css";
import { BriefField } from "./BriefField.tsx";
import { Earlier } from "./Earlier.tsx";
import { changesIn, madeAnew, NOTHING, useDraft } from "./draft.ts";
import { briefQuery, changeBrief, useNoted } from "./query.ts";
import { Reference } from "./Reference.tsx";
import { type Field, same, sectionsOf, wrong } from "./schema.ts";

interface Props {
  track: Track;
  /** Whether one comes to see what was changed elsewhere. */
  toChanges: boolean;
}

export function BriefPanel({ track, toChanges }: Props) {
  const key = track.summary.track;
  const noted = useNoted(key);
  const schema = useQuery({
    queryKey: ["brief-schema"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => answer(api.GET("/api/v1/brief/schema")),
  });
  const brief = useQuery(briefQuery(key));
  const [draft, setDraft] = useDraft(key);
  const { set: changes, unset } = draft;
  const taken = (changed: BriefChanged) => {
    setDraft(NOTHING);
    noted(changed, toldOf(changed));
  };
  const apply = useMutation({
    mutationFn: (body: BriefChange) => changeBrief(key, body),
    onSuccess: taken,
  });
  const values = useMemo(() => new Map(brief.data?.values.map((value) => [value.name, value])), [brief.data]);
  const sections = useMemo(
    () =>
      schema.data === undefined
        ? []
        : sectionsOf(schema.data, [...values.keys()]).toSorted((one, other) => rank(one.name) - rank(other.name)),
    [schema.data, values],
  );
  const form = useRef<HTMLFormElement>(null);
  const ready = schema.data !== undefined && brief.data !== undefined;
  useEffect(() => {
    if (ready && toChanges) form.current?.querySelector(".brief-field.changed")?.scrollIntoView({ block: "center" });
  }, [ready, toChanges]);
  const failed = schema.error ?? brief.error;
  if (failed !== null) return <p role="alert">{lineOf(failed)}</p>;
  if (schema.data === undefined || brief.data === undefined) return <p className="waiting">Opening…</p>;

  const number = changesIn(draft);
  const faults = sections.flatMap((section) =>
    section.fields.filter((field) => field.name in changes && wrong(field, changes[field.name]) !== null),
  );
  const change = (field: Field, value: unknown) => {
    const { [field.name]: _, ...rest } = changes;
    setDraft({
      set: same(value, values.get(field.name)?.value) ? rest : { ...rest, [field.name]: value },
      unset: unset.filter((name) => name !== field.name),
    });
  };
  const back = (field: Field) => {
    const { [field.name]: _, ...rest } = changes;
    setDraft({
      set: rest,
      unset: unset.includes(field.name) ? unset.filter((name) => name !== field.name) : [...unset, field.name],
    });
  };
  return (
    <div className="brief">
      <form
        ref={form}
        aria-label="Brief"
        onSubmit={(event) => {
          event.preventDefault();
          apply.mutate({ set: { ...changes }, unset: [...unset], process: true });
        }}
      >
        <p className="soft small">
          Only what a change touches is made anew. Versions that are there stay, to be compared with.
        </p>
        {sections.map((section) => (
          <SectionFields
            key={section.name}
            name={section.name}
            description={section.description}
            fields={section.fields}
            values={values}
            changes={changes}
            unset={unset}
            onChange={change}
            onBack={back}
          />
        ))}
        <Reference
          track={key}
          there={values.get("mastering.reference")?.built_in === false}
          pending={apply.isPending}
          onApply={(body) => apply.mutate(body)}
        />
        <div className="brief-apply">
          <button type="submit" className="button primary" disabled={number === 0 || faults.length > 0 || apply.isPending}>
            {number === 0 ? "Nothing changed" : `Apply ${count(number, "change")}`}
          </button>
          {number > 0 && (
            <button type="button" className="button" onClick={() => setDraft(NOTHING)}>
              Discard
            </button>
          )}
          {number > 0 && <p className="small">Not applied yet. {madeAnew(draft)}</p>}
          {apply.error !== null && (
            <p className="alert small" role="alert">
              {lineOf(apply.error)}
            </p>
          )}
          {apply.data !== undefined && number === 0 && <p className="small">{toldOf(apply.data)}</p>}
        </div>
      </form>
      <Earlier track={key} onRestored={taken} />
    </div>
  );
}

function toldOf(changed: BriefChanged): string {
  if (changed.job === null) return "The brief is changed; nothing needs to be made anew.";
  const stages = changed.stages.map((stage) => madeBy(stage)).join(", ");
  return `The brief is changed. Made anew: ${stages}.`;
}

interface SectionProps {
  name: string;
  description: string;
  fields: readonly Field[];
  values: ReadonlyMap<string, BriefValue>;
  changes: Readonly<Record<string, unknown>>;
  unset: readonly string[];
  onChange: (field: Field, value: unknown) => void;
  onBack: (field: Field) => void;
}

const FIRST = ["mastering", "mixing"]; // what is changed most

function rank(section: string): number {
  const at = FIRST.indexOf(section);
  return at < 0 ? FIRST.length : at;
}

function SectionFields({ name, description, fields, values, changes, unset, onChange, onBack }: SectionProps) {
  const [begun] = useState(() => fields.some((field) => field.name in changes || unset.includes(field.name)));
  const touched = fields.filter((field) => field.name in changes || unset.includes(field.name)).length;
  const own = fields.filter((field) => values.get(field.name)?.built_in === false).length;
  const tables = [...new Set(fields.map((field) => field.table).filter((table) => table !== null))];
  const shownField = (field: Field) => (
    <BriefField
      key={field.name}
      field={field}
      known={values.get(field.name)}
      changed={field.name in changes}
      unset={unset.includes(field.name)}
      value={field.name in changes ? changes[field.name] : (values.get(field.name)?.value ?? null)}
      onChange={(value) => onChange(field, value)}
      onBack={() => onBack(field)}
    />
  );
  return (
    <details className="card brief-section" open={name === FIRST[0] || begun}>
      <summary>
        <h2>{title(name)}</h2>
        {touched > 0 && <span className="badge warning">{count(touched, "change")}</span>}
        {own > 0 && <span className="badge active">{own} set</span>}
        <span className="small soft">{description}</span>
      </summary>
      <div className="brief-fields">
        {fields.filter((field) => field.table === null).map(shownField)}
        {tables.map((table) => {
          const entries = fields.filter((field) => field.table === table);
          return (
            <fieldset key={table} className="brief-table">
              <legend className="brief-label">{title(table)}</legend>
              <p className="small soft">{entries[0]?.description}</p>
              <div className="brief-entries">{entries.map(shownField)}</div>
            </fieldset>
          );
        })}
      </div>
    </details>
  );
}
