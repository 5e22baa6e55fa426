import { expect, it } from "vitest";
import { chance, chanceText, hidden, rightOf } from "./trials.ts";

it("tells the chance of guessing as tables of the binomial distribution have it", () => {
  expect(chance(12, 16)).toBeCloseTo(2517 / 65_536, 12); // Σ C(16, k), k = 12…16
  expect(chance(10, 10)).toBeCloseTo(1 / 1024, 15);
  expect(chance(0, 10)).toBeCloseTo(1, 12);
  expect(chanceText(1 / 1024)).toBe("p < 0.001");
});

it("counts what was right", () => {
  expect(rightOf([{ x: "a", answer: "a" }, { x: "b", answer: "a" }])).toBe(1);
});

it("hides A as often as B", () => {
  const count = Array.from({ length: 2000 }, hidden).filter((letter) => letter === "a").length;
  expect(Math.abs(count - 1000)).toBeLessThan(150); // 6.7 standard deviations
});
