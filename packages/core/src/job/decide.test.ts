/** Every state × every fact × in time, overdue, past the deadline. What is not in the table cannot happen. */
import { describe, expect, test } from "vitest";
import { decide } from "./decide.ts";
import type { CallFailure, Circumstances, Fact, FactType } from "./facts.ts";
import {
  answer,
  ask,
  askingJob,
  at,
  awaitingJob,
  BROKE,
  LOST,
  BUSY,
  claimOf,
  failure,
  inWords,
  JOBS,
  noReply,
  OTHER,
  reply,
  REVIEWED,
  reviewedJob,
  termsWith,
  verdict,
  WINDOW,
} from "./job.fixture.ts";
import { type Job, JOB_STATES } from "./job.ts";

type FactOf<T extends FactType> = Extract<Fact, { type: T }>;

/** Facts told apart as far as decisions tell them apart. A new one without a row does not compile. */
type Variant =
  | Exclude<FactType, "answered" | "call_failed" | "judged" | "replied" | "unanswered">
  | `answered ${FactOf<"answered">["stop"]}`
  | `call_failed ${CallFailure}`
  | `judged ${FactOf<"judged">["decision"]}`
  | `${"replied" | "unanswered"} to ${"a leaf" | "a review"}`
  | "unanswered at a cost";

const FACTS: Readonly<Record<Variant, Fact>> = {
  claim: claimOf(),
  "answered end": answer("end"),
  "answered truncated": answer("truncated"),
  "answered refused": answer("refused"),
  "call_failed unavailable": failure("unavailable"),
  "call_failed timeout": failure("timeout", { mayHaveBeenBilled: true }),
  "call_failed rate_limited": failure("rate_limited"),
  "call_failed rejected": failure("rejected"),
  "judged pass": verdict("pass"),
  "judged partial": verdict("partial", 0.6),
  "judged fail": verdict("fail", 0.1),
  validator_broke: BROKE,
  validator_lost: LOST,
  inquired: ask(),
  put_off: BUSY,
  "replied to a leaf": reply(),
  "replied to a review": reply(0n, { inquiryId: REVIEWED }),
  "unanswered to a leaf": noReply(),
  "unanswered to a review": noReply(null, REVIEWED),
  "unanswered at a cost": noReply(50n),
  cancel: { type: "cancel" },
  accepted: { type: "accepted" },
  rejected: { type: "rejected" },
  woke: { type: "woke" },
  settled: { type: "settled" },
};

const MOMENTS = {
  "in time": at(4_000),
  /** Every lease, patience and window of the jobs is over; their deadline is not. */
  overdue: at(70_000),
  "past the deadline": at(121_000),
} satisfies Record<string, Circumstances>;

/** What happens in time, overdue and past the deadline; one text when it is the same. */
type Row = string | readonly [inTime: string, overdue: string, pastDeadline: string];

const STALE = "ignored: stale";
const LATE = "ignored: late_answer";
const WAITING = "ignored: still_waiting";
const DEADLINE = "settling failure deadline · job.resolved";
const UNVERIFIED = "settling failure validator_error · job.resolved";
const CANCELED = "settling failure canceled · job.resolved";

/** What every state does with facts that belong to another one. */
const ELSEWHERE = {
  claim: STALE,
  "answered end": LATE,
  "answered truncated": LATE,
  "answered refused": LATE,
  "call_failed unavailable": STALE,
  "call_failed timeout": STALE,
  "call_failed rate_limited": STALE,
  "call_failed rejected": STALE,
  "judged pass": STALE,
  "judged partial": STALE,
  "judged fail": STALE,
  validator_broke: STALE,
  validator_lost: STALE,
  inquired: STALE,
  put_off: STALE,
  "replied to a leaf": LATE,
  "replied to a review": LATE,
  "unanswered to a leaf": STALE,
  "unanswered to a review": STALE,
  "unanswered at a cost": LATE,
  accepted: STALE,
  rejected: STALE,
  settled: STALE,
} as const satisfies Partial<Record<Variant, Row>>;

/** Jobs that differ from the others in what they do next, by the terms they are pinned to. */
const SORTS = [
  ...JOB_STATES,
  "validating while a judge is asked",
  "validating while a person decides",
  "awaiting_acceptance with rework",
] as const;
type Sort = (typeof SORTS)[number];

const SORTED: Readonly<Record<Sort, Job>> = {
  ...JOBS,
  "validating while a judge is asked": askingJob(),
  "validating while a person decides": reviewedJob(),
  "awaiting_acceptance with rework": awaitingJob(termsWith({ acceptance: WINDOW, rework: true })),
};

const AWAITING = {
  ...ELSEWHERE,
  cancel: STALE,
  accepted: ["settling success accepted · job.resolved", STALE, STALE],
  rejected: ["settling failure rejected · job.resolved", STALE, STALE],
  woke: [
    WAITING,
    "settling success accepted_by_silence · job.resolved",
    "settling success accepted_by_silence · job.resolved",
  ],
} as const satisfies Record<Variant, Row>;

const TABLE: Readonly<Record<Sort, Readonly<Record<Variant, Row>>>> = {
  queued: {
    ...ELSEWHERE,
    claim: ["attempting · attempt.started · start small", "attempting · attempt.started · start small", DEADLINE],
    cancel: CANCELED,
    woke: [WAITING, WAITING, DEADLINE],
  },
  attempting: {
    ...ELSEWHERE,
    "answered end": "validating · attempt.answered · end answered known",
    "answered truncated": "queued fast · job.retried truncated · end truncated known",
    "answered refused": "queued standard · job.escalated refused · end refused known",
    "call_failed unavailable": "queued fast · job.fell_back unavailable · end unavailable released",
    "call_failed timeout": [
      "queued standard · job.escalated timeout · end timeout presumed",
      "queued standard · job.escalated timeout · end timeout presumed",
      `${DEADLINE} · end timeout presumed`,
    ],
    "call_failed rate_limited": "queued fast · job.waited rate_limited · end rate_limited released · pause fast 5000",
    "call_failed rejected": "queued fast · job.fell_back rejected · end rejected released",
    cancel: `${CANCELED} · end canceled presumed`,
    woke: [WAITING, "queued fast · job.retried lost · end lost presumed", `${DEADLINE} · end lost presumed`],
  },
  validating: {
    ...ELSEWHERE,
    "judged pass": ["settling success verified · job.resolved", "settling success verified · job.resolved", DEADLINE],
    "judged partial": ["queued fast · job.retried verdict", "queued fast · job.retried verdict", DEADLINE],
    "judged fail": ["queued fast · job.retried verdict", "queued fast · job.retried verdict", DEADLINE],
    validator_broke: ["validating · job.waited validator_error", "validating · job.waited validator_error", DEADLINE],
    validator_lost: ["validating · job.waited validator_lost", "validating · job.waited validator_lost", DEADLINE],
    inquired: [
      "validating · inquiry.opened · ask model /all/1 300",
      "validating · inquiry.opened · ask model /all/1 300",
      DEADLINE,
    ],
    put_off: ["validating · job.waited busy", "validating · job.waited busy", DEADLINE],
    cancel: CANCELED,
    woke: [WAITING, WAITING, DEADLINE],
  },
  "validating while a judge is asked": {
    ...ELSEWHERE,
    "replied to a leaf": [
      "validating · inquiry.answered · replied known 200",
      "validating · inquiry.answered · replied known 200",
      `${DEADLINE} · replied known 200`,
    ],
    "unanswered to a leaf": [
      "validating · job.waited unanswered · broke presumed 300",
      "validating · job.waited unanswered · broke presumed 300",
      `${DEADLINE} · broke presumed 300`,
    ],
    "unanswered at a cost": [
      "validating · job.waited unanswered · broke known 50",
      "validating · job.waited unanswered · broke known 50",
      `${DEADLINE} · broke known 50`,
    ],
    cancel: `${CANCELED} · dropped presumed 300`,
    woke: [WAITING, WAITING, `${DEADLINE} · dropped presumed 300`],
  },
  "validating while a person decides": {
    ...ELSEWHERE,
    "replied to a review": [
      "validating · inquiry.answered · replied released 0",
      "validating · inquiry.answered · replied released 0",
      `${UNVERIFIED} · replied released 0`,
    ],
    "unanswered to a review": `${UNVERIFIED} · broke released 0`,
    cancel: `${CANCELED} · dropped released 0`,
    woke: [WAITING, WAITING, `${UNVERIFIED} · dropped released 0`],
  },
  awaiting_acceptance: AWAITING,
  "awaiting_acceptance with rework": {
    ...AWAITING,
    rejected: ["queued fast · job.reopened rejected", STALE, STALE],
  },
  settling: { ...ELSEWHERE, cancel: STALE, woke: WAITING, settled: "closed · job.closed" },
  closed: { ...ELSEWHERE, cancel: STALE, woke: STALE },
};

const VARIANTS = Object.keys(FACTS) as Variant[];
const FACT_TYPES = 15;

describe.each(SORTS)("a job that is %s", (sort) => {
  const job = deeplyFrozen(SORTED[sort]);

  test("is in that state, so that its rows speak of it", () => {
    expect(sort.split(" ")[0]).toBe(job.state);
  });

  test.each(VARIANTS)("meets: %s", (variant) => {
    const row = TABLE[sort][variant];
    const expected = typeof row === "string" ? [row, row, row] : row;
    const found = Object.values(MOMENTS).map((now) => inWords(decide(job, FACTS[variant], now)));
    expect(found).toEqual(expected);
  });

  test.each(VARIANTS.filter((v) => "attemptId" in FACTS[v] && v !== "claim"))(
    "drops what belongs to another attempt, whenever it comes: %s",
    (variant) => {
      const fact = { ...FACTS[variant], attemptId: OTHER } as Fact;
      const dropped = "cost" in fact && fact.type !== "judged" && fact.cost !== null ? LATE : STALE;
      for (const now of Object.values(MOMENTS)) expect(inWords(decide(job, fact, now))).toBe(dropped);
    },
  );
});

test("the table has a row for every state and every fact", () => {
  expect(Object.keys(TABLE).toSorted()).toEqual(SORTS.toSorted());
  expect(new Set(Object.values(FACTS).map((f) => f.type)).size).toBe(FACT_TYPES);
  for (const sort of SORTS) expect(Object.keys(TABLE[sort]).toSorted()).toEqual(VARIANTS.toSorted());
});

/** Every move that the table knows of, with the job before it. */
const MOVES = SORTS.flatMap((sort) =>
  VARIANTS.flatMap((variant) =>
    Object.values(MOMENTS).flatMap((now) => {
      const step = decide(SORTED[sort], FACTS[variant], now);
      return step.kind === "moved" ? [{ before: SORTED[sort], ...step }] : [];
    }),
  ),
);

test("every move counts one revision, and keeps the job's identity, terms and, but for a rework, its deadline", () => {
  expect(MOVES.length).toBeGreaterThan(60);
  expect(MOVES.filter(({ event }) => event.type === "job.reopened")).toHaveLength(1);
  for (const { before, next, event } of MOVES) {
    expect(next.revision).toBe(before.revision + 1);
    expect(next.id).toBe(before.id);
    expect(next.terms).toBe(before.terms);
    expect(next.deadlineAtMs === before.deadlineAtMs).toBe(event.type !== "job.reopened");
  }
});

test("no event tells a customer what an attempt cost", () => {
  const events = MOVES.map((move) => JSON.stringify(move.event));
  // `cost_cap` and the like are reasons, not amounts.
  expect(events.filter((text) => /nanos|reserve|"cost"/.test(text))).toEqual([]);
  expect(events.length).toBe(MOVES.length);
});

/** The job, so that a decision which changes its input throws. */
function deeplyFrozen(job: Job): Job {
  const freeze = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  };
  freeze(job);
  return job;
}
