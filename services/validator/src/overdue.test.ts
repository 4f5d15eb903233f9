import { askingJob, at, DEADLINE_MS, FIRST, reviewedJob, termsWith } from "@contingent/core/job/job.fixture";
import type { Job, OpenInquiry } from "@contingent/core/job/job";
import { nanos } from "@contingent/core/money";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import type { Transition } from "@contingent/db/commit";
import { describe, expect, test } from "vitest";
import type { ValidatorContext } from "./context.ts";
import type { Judging } from "./judging.ts";
import { endOverdue } from "./overdue.ts";

const PER_REVIEW = nanos(50n);
const PERSON: Partial<OpenInquiry> = {
  leaf: "/all/1",
  validator: "human@1",
  asked: "person",
  reserve: PER_REVIEW,
  payee: { provider: "reviewers", name: "review" },
};

function treeWith(onSilence: string): ValidatorNode {
  const options = { instructions: "Look.", sla_ms: 10_000, on_silence: onSilence };
  return {
    all: [
      { use: "json_schema", options: {} },
      { use: "human", options },
    ],
  };
}

const SERVICE: ValidatorNode = {
  all: [
    { use: "json_schema", options: {} },
    { use: "http", options: { url: "https://checks.example.com/", secret: "checks", on_silence: "fail" } },
  ],
};

/** What is written down when nobody has replied to the job's inquiry by then; null: nothing. */
async function silence(
  job: Job,
  validator: ValidatorNode,
  atMs: number,
  asker: string | null = null,
): Promise<Transition | null> {
  let written: Transition | null = null;
  const context = {
    commit: async (transition: Transition) => {
      written = transition;
      return true;
    },
    queues: { publish: async () => undefined },
    log: { warn: () => undefined },
  } as unknown as ValidatorContext;
  const version = { validator, currency: "USD" };
  const clock = (): number => at(atMs).nowMs;
  const judging = { job, version, answer: { attemptId: FIRST }, clock, asker } as unknown as Judging;
  const { inquiry } = job.progress;
  if (inquiry === null) throw new Error("nobody is asked");
  await endOverdue(context, judging, inquiry);
  return written;
}

const ended = (transition: Transition | null): unknown =>
  transition?.effects.find(({ type }) => type === "end_inquiry");

describe("when nobody has replied in time", () => {
  test("a person's silence is what the type says, and nobody is paid for it", async () => {
    for (const [meaning, score] of [
      ["pass", 1],
      ["fail", 0],
    ] as const) {
      const written = await silence(askingJob(termsWith(), PERSON), treeWith(meaning), 15_000);
      expect(written?.reply?.result?.score).toBe(score);
      expect(ended(written)).toMatchObject({ outcome: "silence", costState: "released", cost: 0n });
    }
  });

  test("a person's silence that means nothing is no reply", async () => {
    const written = await silence(askingJob(termsWith(), PERSON), treeWith("error"), 15_000);
    expect(written?.reply?.result).toBeNull();
    expect(written?.event).toMatchObject({ type: "job.waited", data: { cause: "unanswered" } });
    expect(ended(written)).toMatchObject({ outcome: "broke", costState: "released", cost: 0n });
  });

  test("a judge's reply is lost, and counts as spent", async () => {
    const options = { rubric: "It is right.", models: ["medium"], cost_max: "0.02" };
    const tree = {
      all: [
        { use: "json_schema", options: {} },
        { use: "llm_judge", options },
      ],
    };
    const written = await silence(askingJob(), tree, 30_000);
    expect(written?.event).toMatchObject({ type: "job.waited", data: { cause: "unanswered" } });
    expect(ended(written)).toMatchObject({ outcome: "broke", costState: "presumed", cost: 300n });
  });

  test("because the process that asked has died, that is nobody's silence: it is asked again", async () => {
    const written = await silence(askingJob(), SERVICE, 30_000, "validator-1");
    expect(written?.reply).toEqual({
      result: null,
      detail: { error: "the process that asked has died" },
      repliedBy: null,
    });
    expect(written?.event).toMatchObject({ type: "job.waited", data: { cause: "unanswered" } });
    const silent = await silence(askingJob(), SERVICE, 30_000);
    expect(silent?.reply?.result?.score).toBe(0);
  });

  test("about an answer that no validator could check, the job ends for that reason", async () => {
    const written = await silence(reviewedJob(), treeWith("pass"), DEADLINE_MS);
    expect(written?.next).toMatchObject({ state: "settling", resolution: "failure", reason: "validator_error" });
  });

  test("nothing is written as long as there is time", async () => {
    expect(await silence(askingJob(termsWith(), PERSON), treeWith("pass"), 4_000)).toBeNull();
  });
});
