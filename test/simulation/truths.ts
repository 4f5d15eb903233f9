/** What facts say, told without the core. */
import type { Effect, Fact } from "@contingent/core/job/facts";
import type { Job } from "@contingent/core/job/job";

type Ended = Extract<Effect, { type: "end_attempt" }>;

/** What a fact that ends an attempt says about its cost: only a report, or certainty that there is none, lowers it. */
export function truthOf(fact: Fact, reserve: bigint): readonly [Ended["costState"], bigint] {
  if (fact.type === "answered") return ["known", fact.cost];
  if (fact.type === "call_failed" && !fact.mayHaveBeenBilled) return ["released", 0n];
  return ["presumed", reserve];
}

/** Whether an attempt is used up by it: its answer was judged or no good, or it took too long. */
export function usesUp(fact: Fact): boolean {
  if (fact.type === "answered") return fact.stop !== "end";
  return fact.type === "judged" || (fact.type === "call_failed" && fact.failure === "timeout");
}

export function costsSomething(job: Job, fact: Fact): boolean {
  return fact.type === "judged" && job.terms.validation !== null && fact.cost > 0n;
}
