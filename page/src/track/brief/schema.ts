/** Fields of the brief's form, from the JSON schema that the server gives. */
import { sentence } from "../../stages.ts";

export type Kind = "number" | "integer" | "boolean" | "text" | "choice" | "choices" | "list" | "fixed";

export interface Field {
  /** section.name, or section.table.entry */
  name: string;
  label: string;
  description: string;
  kind: Kind;
  options: readonly (string | number)[];
  least: number | null;
  most: number | null;
  /** May be null: left to Resonate. */
  open: boolean;
  longest: number | null;
  /** The table that it is an entry of. */
  table: string | null;
}

export interface FieldSection {
  name: string;
  description: string;
  fields: Field[];
}

interface Node {
  $ref?: string;
  allOf?: Node[];
  anyOf?: Node[];
  type?: string;
  enum?: (string | number)[];
  const?: string | number;
  items?: Node;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  propertyNames?: Node;
  description?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  readOnly?: boolean;
  $defs?: Record<string, Node>;
}

/** known: names of values that the brief has; entries of tables without fixed names are among them. */
export function sectionsOf(schema: unknown, known: readonly string[]): FieldSection[] {
  const root = schema as Node;
  return Object.entries(root.properties ?? {}).map(([name, node]) => {
    const section = resolved(node, root);
    const fields = Object.entries(section.properties ?? {}).flatMap(([entry, each]) =>
      fieldsOf(`${name}.${entry}`, entry, resolved(each, root), root, known),
    );
    return { name, description: described(section.description ?? ""), fields };
  });
}

function fieldsOf(name: string, label: string, node: Node, root: Node, known: readonly string[]): Field[] {
  if (node.type !== "object") return [fieldOf(name, label, node, root)];
  const value = typeof node.additionalProperties === "object" ? resolved(node.additionalProperties, root) : {};
  const own = known.filter((one) => one.startsWith(`${name}.`)).map((one) => one.slice(name.length + 1));
  const names = node.propertyNames === undefined ? [] : (resolved(node.propertyNames, root).enum ?? []);
  const entries = [...new Set([...names.map(String), ...own])];
  return entries.map((entry) => ({
    ...fieldOf(`${name}.${entry}`, entry, { ...value, description: node.description ?? "" }, root),
    open: true, // an entry that is taken out
    table: label,
  }));
}

function fieldOf(name: string, label: string, node: Node, root: Node): Field {
  const kinds = (node.anyOf ?? [node]).map((one) => resolved(one, root));
  const one = kinds.find((kind) => kind.type !== "null") ?? node;
  const read_only = node.readOnly === true || one.readOnly === true;
  const items = one.items === undefined ? undefined : resolved(one.items, root);
  return {
    name,
    label,
    description: described(node.description ?? one.description ?? ""),
    kind: read_only ? "fixed" : kindOf(one, items),
    options: one.enum ?? items?.enum ?? [],
    least: one.minimum ?? null,
    most: one.maximum ?? null,
    open: kinds.some((kind) => kind.type === "null"),
    longest: one.maxLength ?? null,
    table: null,
  };
}

/** As a sentence; what the schema calls null is called auto in the form. */
function described(text: string): string {
  return sentence(text.replaceAll(/\bnull\b/g, "auto"));
}

function kindOf(node: Node, items: Node | undefined): Kind {
  if (node.enum !== undefined) return "choice";
  if (node.type === "array") return items?.enum === undefined ? "list" : "choices";
  if (node.type === "number" || node.type === "integer" || node.type === "boolean") return node.type;
  return "text";
}

function resolved(node: Node, root: Node): Node {
  const at = node.$ref ?? (node.allOf?.length === 1 ? node.allOf[0]?.$ref : undefined);
  if (at === undefined) return node;
  const target = root.$defs?.[at.split("/").at(-1) ?? ""];
  return target === undefined ? node : { ...resolved(target, root), ...withoutReference(node) };
}

function withoutReference(node: Node): Node {
  const rest = { ...node };
  delete rest.$ref;
  delete rest.allOf;
  return rest;
}

/** A value for a person. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "not set";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (typeof value === "number") return String(value).replace("-", "−");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What is wrong with a value, in words; null where nothing is. The server has the last word. */
export function wrong(field: Field, value: unknown): string | null {
  if (value === null) return field.open ? null : "needs a value";
  if (field.kind === "number" || field.kind === "integer") {
    if (typeof value !== "number" || !Number.isFinite(value)) return "is no number";
    if (field.kind === "integer" && !Number.isInteger(value)) return "is no whole number";
    if (field.least !== null && value < field.least) return `is under ${shown(field.least)}`;
    if (field.most !== null && value > field.most) return `is over ${shown(field.most)}`;
  }
  if (field.longest !== null && typeof value === "string" && value.length > field.longest) {
    return `is longer than ${field.longest} characters`;
  }
  return null;
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
