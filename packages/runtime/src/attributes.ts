/** Attribute names of spans and metrics that no convention covers. Values are ids and numbers, never texts. */
export const OUTCOME = {
  jobId: "outcome.job.id",
  customerId: "outcome.customer.id",
  /** Name of the outcome type. */
  type: "outcome.type",
  typeVersion: "outcome.type.version",
  tier: "outcome.tier",
  /** Number of the attempt within the job, from 1. */
  attempt: "outcome.attempt",
  attemptId: "outcome.attempt.id",
  /** How an attempt ended: `answered`, `refused`, `truncated`, `timeout`, `unavailable`, … */
  attemptResult: "outcome.attempt.result",
  verdictId: "outcome.verdict.id",
  /** `pass`, `partial`, `fail`, `error`; `open` on a span after which somebody is asked. */
  verdict: "outcome.verdict",
  score: "outcome.score",
  resolution: "outcome.resolution",
  reason: "outcome.reason",
  costNanos: "outcome.cost_nanos",
  priceNanos: "outcome.price_nanos",
  billable: "outcome.billable",
  inquiryId: "outcome.inquiry.id",
  /** Which leaf of the validator tree asks, as a JSON pointer. */
  inquiryLeaf: "outcome.inquiry.leaf",
  /** `name@version`. */
  inquiryValidator: "outcome.inquiry.validator",
  /** `model`, `service`, `person`. */
  inquiryAsked: "outcome.inquiry.asked",
  /** `answered`, `broke`; `pending`: the reply will come by itself. */
  inquiryResult: "outcome.inquiry.result",
  /** `correct`, `incorrect`, `undecided`. */
  auditResult: "outcome.audit.result",
  /** Why a job left a dead letter: `validator_error`, `worker_lost`, `not_attempted`, `not_judged`. */
  deathCause: "outcome.death.cause",
  /** `raised`, `certain`, `cleared`. */
  alertChange: "outcome.alert.change",
  /** What there was too much of: `key`, `customer`, `address`, `under_way`. */
  limit: "outcome.limit",
  /** `closed`, `open`, `half_open`. */
  breakerState: "outcome.breaker.state",
} as const;

/** From the general conventions: what went wrong, as a code of a closed list. */
export const ERROR_TYPE = "error.type";

/** GenAI conventions (status: development) that are set here; the model SDK sets the others on its own spans. */
export const GEN_AI = {
  requestModel: "gen_ai.request.model",
  providerName: "gen_ai.provider.name",
  evaluationEvent: "gen_ai.evaluation.result",
  evaluationName: "gen_ai.evaluation.name",
  evaluationScore: "gen_ai.evaluation.score.value",
  evaluationLabel: "gen_ai.evaluation.score.label",
  evaluationExplanation: "gen_ai.evaluation.explanation",
} as const;
