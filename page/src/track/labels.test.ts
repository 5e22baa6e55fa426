import { expect, test } from "vitest";
import { title } from "./labels.ts";

test("a setting's unit stands in brackets, and abbreviations as they are written", () => {
  expect(title("target_lufs")).toBe("Target (LUFS)");
  expect(title("ceiling_dbtp")).toBe("Ceiling (dBTP)");
  expect(title("midi")).toBe("MIDI");
  expect(title("db")).toBe("dB");
});
