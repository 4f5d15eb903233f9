import { type RedrivenManyBody, redriveDeadLetters } from "@contingent/contracts/http/dead-letters";
import type { JobId, KeyId } from "@contingent/core/ids";
import { type DeadLetter, listDeadLetters } from "@contingent/db/dead-letters";
import { traceparentOf, withSpan } from "@contingent/runtime/tracing";
import type { IntakeContext } from "../../context.ts";
import { redrive } from "../../dead-letters/redrive.ts";
import { apiErrorOf } from "../../http/respond.ts";
import { type Call, route } from "../../http/route.ts";
import { unrecordedTraceparent } from "../../jobs/trace.ts";

/** As many as fit one accepting statement. */
const AT_ONCE = 64;

export const redriveDeadLettersRoute = route(redriveDeadLetters, async (context, call) => {
  const { body } = call;
  const filter = {
    state: "open",
    cause: body.cause,
    outcomeType: body.outcome_type,
    customerId: body.customer,
    fromMs: body.died_from === undefined ? undefined : Date.parse(body.died_from),
    untilMs: body.died_until === undefined ? undefined : Date.parse(body.died_until),
  } as const;
  const found = await listDeadLetters(context.pool, filter, { after: body.cursor ?? null, limit: body.limit + 1 });
  const letters = found.slice(0, body.limit);
  const answer: RedrivenManyBody = { object: "redrive", redriven: [], refused: [], next_cursor: null };
  for (let from = 0; from < letters.length; from += AT_ONCE) {
    await Promise.all(letters.slice(from, from + AT_ONCE).map((letter) => redriveOne(context, call, letter, answer)));
  }
  if (found.length > letters.length) answer.next_cursor = letters.at(-1)?.jobId ?? null;
  return { status: 200, body: answer };
});

/** One that cannot be redriven holds up no other. */
async function redriveOne(
  context: IntakeContext,
  { traceparent, caller }: Pick<Call<typeof redriveDeadLetters>, "traceparent" | "caller">,
  { jobId: job }: DeadLetter,
  answer: RedrivenManyBody,
): Promise<void> {
  try {
    answer.redriven.push({ job, redriven_as: await redriveTraced(context, traceparent, caller.keyId, job) });
  } catch (thrown) {
    const error = apiErrorOf(thrown);
    // What is away is away for all of them.
    if (error.status >= 500) throw thrown;
    answer.refused.push({ job, code: error.code, message: error.message });
  }
}

/** One trace per job: the request's own is linked to. */
async function redriveTraced(context: IntakeContext, request: string | null, keyId: KeyId, job: JobId): Promise<JobId> {
  const links = request === null ? [] : [request];
  return await withSpan("accept job", { parent: null, links }, async (span) => {
    const { as } = await redrive(context, job, { keyId, traceparent: traceparentOf(span) ?? unrecordedTraceparent() });
    return as;
  });
}
