/** Hazards: one part of the system is gone and nobody says so; a part that cannot run is started for ever. */
import { expect, test } from "vitest";
import type { Exit } from "./children.ts";
import { Problem } from "./problem.ts";
import { type Running, supervise, type Ward } from "./supervisor.ts";

const KILLED: Exit = { code: null, signal: "SIGKILL" };
const DEFECT: Exit = { code: 70, signal: null };
const FOR_EVER = new Promise<never>(() => undefined);

function running(exited: Promise<Exit>): Running {
  return { exited, logFile: "validator.log" };
}

/** A process that ends as the list says each time that it was started, and then stays up. */
function validator(...exits: readonly (Exit | Error)[]): Ward & { readonly starts: () => number } {
  let starts = 0;
  const [first, ...later] = exits;
  return {
    name: "validator",
    running: running(first === undefined || first instanceof Error ? FOR_EVER : Promise.resolve(first)),
    async startAgain() {
      starts += 1;
      const next = later.shift();
      if (next instanceof Error) throw next;
      return running(next === undefined ? FOR_EVER : Promise.resolve(next));
    },
    starts: () => starts,
  };
}

function listen(): {
  readonly said: string[];
  readonly saysTimes: (count: number) => Promise<void>;
  say(line: string): void;
} {
  const said: string[] = [];
  let look = (): void => undefined;
  return {
    said,
    say(line) {
      said.push(line);
      look();
    },
    saysTimes: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (said.length >= count) resolve();
        };
        look();
      }),
  };
}

const ending = new AbortController().signal;

test("what was killed is started again, and both are said in one sentence each", async () => {
  const heard = listen();
  const ward = validator(KILLED);
  void supervise([ward], { say: (line) => heard.say(line), ending, pauseMs: 0 });
  await heard.saysTimes(2);
  expect(heard.said).toEqual([
    "validator was ended by SIGKILL, and is started again (its log: validator.log)",
    "validator runs again",
  ]);
  expect(ward.starts()).toBe(1);
});

test("a start that fails is tried again as well, and its reason told without the log", async () => {
  const heard = listen();
  const ward = validator(
    DEFECT,
    new Problem("validator ended with exit code 75. The end of validator.log:\n  at x.ts"),
  );
  void supervise([ward], { say: (line) => heard.say(line), ending, pauseMs: 0 });
  await heard.saysTimes(3);
  expect(heard.said).toEqual([
    "validator ended with exit code 70, and is started again (its log: validator.log)",
    "validator did not start (validator ended with exit code 75), and is started again (its log: validator.log)",
    "validator runs again",
  ]);
});

test("what ends five times in a row is given up, in one sentence that says where to look", async () => {
  const heard = listen();
  const ward = validator(DEFECT, DEFECT, DEFECT, DEFECT, DEFECT);
  const gaveUp = supervise([validator(), ward], { say: (line) => heard.say(line), ending, pauseMs: 0 });
  await expect(gaveUp).rejects.toThrow(
    new Problem(
      "validator ended with exit code 70, the 5th time in a row, and is not started again. Its log says why: validator.log. The data is kept: when that is mended, start again.",
    ),
  );
  expect(ward.starts()).toBe(4);
});

test("nothing is started again while the system is being stopped, also not after a pause", async () => {
  const stopping = new AbortController();
  const heard = listen();
  const ward = validator(KILLED);
  void supervise([ward], {
    ending: stopping.signal,
    pauseMs: 60_000,
    say(line) {
      heard.say(line);
      stopping.abort();
    },
  });
  await heard.saysTimes(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ward.starts()).toBe(0);
  expect(heard.said).toHaveLength(1);
});
