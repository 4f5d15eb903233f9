import { newId } from "@contingent/db/ids";
import { expect, test } from "vitest";
import { drawOf } from "@contingent/ledger/audits/draw";

const SALT = Buffer.alloc(32, 7);

test("of many outcomes the share that is drawn comes to the rate, whatever it is", () => {
  const jobs = 20_000;
  const draws = Array.from({ length: jobs }, () => drawOf(SALT, newId("job")));
  for (const rate of [0.01, 0.1, 0.5, 0.9]) {
    const drawn = draws.filter((draw) => draw < rate).length;
    // Six standard deviations: once in 500 million runs.
    expect(Math.abs(drawn - rate * jobs)).toBeLessThan(6 * Math.sqrt(jobs * rate * (1 - rate)));
  }
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...draws)).toBeLessThan(1);
});

test("a draw is the same each time, and another one with another secret", () => {
  const job = newId("job");
  expect(drawOf(SALT, job)).toBe(drawOf(Buffer.from(SALT), job));
  expect(drawOf(Buffer.alloc(32, 8), job)).not.toBe(drawOf(SALT, job));
});

test("ids that were made one after the other are drawn independently", () => {
  const draws = Array.from({ length: 10_000 }, () => drawOf(SALT, newId("job")) < 0.5);
  const repeats = draws.filter((drawn, i) => i > 0 && drawn === draws[i - 1]).length;
  expect(Math.abs(repeats - 5_000)).toBeLessThan(300);
});
