/** The inquiries of a world: who may be asked what, how that ends, and what must hold of it. */
import type { AttemptId, InquiryId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import type { Effect, Fact } from "@contingent/core/job/facts";
import { budgetLeft, type Job, type OpenInquiry, verdictCostMax } from "@contingent/core/job/job";
import { type Deed, must } from "./deeds.ts";

type EffectOf<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** Sums of what the effects said. */
export interface Told {
  known: bigint;
  presumed: bigint;
  released: bigint;
  open: bigint;
  overrun: bigint;
}

/** Somebody has to be asked about the answer of an attempt. */
export function questionOf(
  job: Job,
  inquiryId: InquiryId,
  attemptId: AttemptId,
  { share, random, yes }: Pick<Deed, "share" | "random" | "yes">,
): Fact {
  const { costCap, inquiryReserve } = job.terms;
  // Mostly as much as was left free for it; sometimes more than any job may spend.
  const most = random > 0.9 ? costCap : inquiryReserve;
  const reserve = nanos((most * BigInt(Math.round(share * 1_000))) / 1_000n);
  const asked = yes ? "model" : random < 0.3 ? "person" : "service";
  const payee = asked === "person" ? null : { provider: "judges", name: asked };
  const inquiry: OpenInquiry = {
    inquiryId,
    kind: "leaf",
    leaf: `/all/${inquiryId}`,
    validator: "judge@1",
    asked,
    reserve: asked === "person" ? nanos(0n) : reserve,
    payee,
  };
  return { type: "inquired", attemptId, inquiry, durationMs: Math.round(random * 60_000) };
}

/** What a fact that ends an inquiry says about its cost; null: nothing, so that its reserve counts as spent. */
function reportOf(fact: Fact): bigint | null {
  return fact.type === "replied" || fact.type === "unanswered" ? fact.cost : null;
}

/** All inquiries of a job, as its effects tell of them. */
export class Inquiries {
  private readonly opened = new Map<InquiryId, EffectOf<"open_inquiry">>();
  private readonly ended = new Set<InquiryId>();
  private readonly told: Told;

  constructor(told: Told) {
    this.told = told;
  }

  get areOpen(): number {
    return this.opened.size - this.ended.size;
  }

  /** An end of the open inquiry, or of any from before. */
  endOf(job: Job, reviewId: InquiryId, attemptId: AttemptId, deed: Deed, overruns: boolean): Fact {
    const { does, who, share, random, yes } = deed;
    const ids = [...this.opened.keys()];
    const open = does === "its turn" ? job.progress.inquiry?.inquiryId : undefined;
    const inquiryId = open ?? ids[who % Math.max(1, ids.length)] ?? "inq_none";
    const reserve = this.opened.get(inquiryId)?.reserve ?? 0n;
    const used = (reserve * BigInt(Math.round(share * 1_000))) / 1_000n;
    const cost = nanos(overruns && random > 0.8 ? used + reserve : used);
    if (does === "reply" || (does === "its turn" && share < 0.7)) {
      return { type: "replied", attemptId, inquiryId, outcome: yes ? "replied" : "silence", cost };
    }
    return { type: "unanswered", attemptId, inquiryId, cost: yes ? cost : null, reviewId };
  }

  open(before: Job, effect: EffectOf<"open_inquiry">, nowMs: number): void {
    must(!this.opened.has(effect.inquiryId), "an inquiry opens once");
    must(this.areOpen === 0, "one is asked at a time");
    must(effect.attemptId === before.progress.current?.attemptId, "what is asked about is the answer under way");
    must(
      effect.reserve === 0n || effect.reserve + verdictCostMax(before) <= budgetLeft(before),
      "nobody is asked for more than may be spent, with the verdict itself",
    );
    must(effect.dueAtMs >= nowMs && effect.dueAtMs <= before.deadlineAtMs, "nobody is waited for too long");
    this.opened.set(effect.inquiryId, effect);
    this.told.open += effect.reserve;
  }

  end({ inquiryId, cost, costState, outcome }: EffectOf<"end_inquiry">, fact: Fact): void {
    const asked = this.opened.get(inquiryId);
    must(asked !== undefined && !this.ended.has(inquiryId), "an inquiry that was opened ends, once");
    const reserve = asked?.reserve ?? 0n;
    const reported = asked?.payee === null ? 0n : reportOf(fact);
    must(cost === (reported ?? reserve), "an inquiry costs what is reported, or what was held where nothing is");
    must(costState === (cost === 0n ? "released" : reported === null ? "presumed" : "known"), "and is known as that");
    must((outcome === "dropped") === (fact.type === "cancel" || fact.type === "woke"), "dropped is what nobody ended");
    this.ended.add(inquiryId);
    this.told[costState] += cost;
    this.told.open -= reserve;
    if (cost > reserve) this.told.overrun += cost - reserve;
  }
}
