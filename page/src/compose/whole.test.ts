import { expect, it } from "vitest";
import { choosing, EMPTY } from "./draft.ts";
import { choosingPlayers, choosingSections, formLine, moved, playedBy, playersLine, rolesFor, sectionsOf, withPlayer, withSection } from "./whole.ts";

const instruments = [
  { name: "drums", roles: ["drums"] },
  { name: "piano", roles: ["chords", "melody"] },
  { name: "flute", roles: ["melody", "countermelody"] },
];
const verse = { name: "verse", bars: 8, energy: 0.5 };
const chorus = { name: "chorus", bars: 16, energy: 0.9 };

it("is as it would be composed until something is chosen, and then as chosen", () => {
  expect(sectionsOf(EMPTY, [verse])).toEqual([verse]);
  expect(sectionsOf(choosing(EMPTY, choosingSections([chorus])), [verse])).toEqual([chorus]);
});

it("lets go of all that would say the same in parts, and of itself where nothing is left", () => {
  const draft = choosing(EMPTY, { bars: 4, duration_s: null, without: ["drums"], key: "C minor" });
  expect(choosing(draft, choosingSections([verse])).asked).toEqual({ without: ["drums"], key: "C minor", sections: [verse] });
  const both = choosing(choosing(draft, choosingSections([verse])), choosingPlayers([{ instrument: "piano", role: "melody" }]));
  expect(Object.keys(both.asked).toSorted()).toEqual(["key", "players", "sections"]);
  expect(choosing(both, { ...choosingSections([]), ...choosingPlayers([]) }).asked).toEqual({ key: "C minor" });
});

it("moves a row to another place, and none beyond the ends", () => {
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  expect(moved(["a", "b"], 1, 2)).toEqual(["a", "b"]);
});

it("adds a section that is as long and as lively as the last", () => {
  expect(withSection([verse, chorus], "verse").at(-1)).toEqual({ ...chorus, name: "verse" });
});

it("gives an instrument only what it can play, and first what nobody plays", () => {
  expect(rolesFor(instruments, { instrument: "piano", role: "chords" })).toEqual(["chords", "melody"]);
  expect(playedBy(instruments, "flute", "melody")).toEqual({ instrument: "flute", role: "melody" });
  expect(playedBy(instruments, "flute", "chords")).toEqual({ instrument: "flute", role: "melody" });
  const piano = { instrument: "piano", role: "melody" };
  expect(withPlayer(instruments, [piano], "flute").at(-1)).toEqual({ instrument: "flute", role: "countermelody" });
  expect(withPlayer(instruments, [{ instrument: "drums", role: "drums" }], "drums")).toHaveLength(2);
});

it("is told in a line, as people say it", () => {
  expect(formLine([{ ...verse, name: "pre_chorus" }, chorus])).toBe("Pre-chorus 8, chorus 16");
  const players = [
    { instrument: "drums", role: "drums" },
    { instrument: "synth_bass", role: "bass" },
    { instrument: "flute", role: "countermelody" },
  ];
  expect(playersLine(players)).toBe("Drums, synth bass, flute (counter-melody)");
});
