import { expect, it } from "vitest";
import { sectionsOf, shown, wrong } from "./schema.ts";

// As pydantic writes it.
const schema = {
  $defs: {
    Mastering: {
      description: "How loud.",
      properties: {
        target_lufs: { type: "number", minimum: -36, maximum: -6, description: "in LUFS" },
        sample_rate: { anyOf: [{ type: "integer", enum: [44_100, 48_000] }, { type: "null" }] },
        formats: { type: "array", items: { type: "string", enum: ["wav", "mp3"] } },
        also: { type: "array", items: { type: "string" } },
        reference: { type: "string", readOnly: true },
        width_db: {
          type: "object",
          additionalProperties: { type: "number", minimum: -24, maximum: 6 },
          propertyNames: { enum: ["vocals", "bass"] },
          description: "of each stem",
        },
      },
    },
  },
  properties: { mastering: { $ref: "#/$defs/Mastering" } },
};

it("makes a field of each value, and of each entry of a table", () => {
  const [section] = sectionsOf(schema, []);
  expect(section?.description).toBe("How loud.");
  expect(section?.fields.map((field) => [field.name, field.kind, field.open])).toEqual([
    ["mastering.target_lufs", "number", false],
    ["mastering.sample_rate", "choice", true],
    ["mastering.formats", "choices", false],
    ["mastering.also", "list", false],
    ["mastering.reference", "fixed", false],
    ["mastering.width_db.vocals", "number", true],
    ["mastering.width_db.bass", "number", true],
  ]);
});

it("says what is wrong with a value", () => {
  const field = sectionsOf(schema, [])[0]?.fields[0];
  if (field === undefined) throw new Error("no field");
  expect(wrong(field, -14)).toBeNull();
  expect(wrong(field, -5)).toBe("is over −6");
  expect(wrong(field, null)).toBe("needs a value");
  expect(wrong(field, Number.NaN)).toBe("is no number");
});

it("shows values as people write them", () => {
  expect([null, "", true, [], ["wav", "mp3"], -14].map(shown)).toEqual(["not set", "not set", "yes", "none", "wav, mp3", "−14"]);
});
