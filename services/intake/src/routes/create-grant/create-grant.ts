import { createGrant, createTopUp, type IncomingDefinition } from "@contingent/contracts/http/grants";
import type { CustomerId } from "@contingent/core/ids";
import { bringIn, type IncomingMoney } from "@contingent/ledger/bring-in";
import type { IntakeContext } from "../../context.ts";
import { noCustomer } from "../../customers/find.ts";
import { renderGrant } from "../../customers/render.ts";
import { ApiError } from "../../http/api-error.ts";
import { type Reply, route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";

export const createTopUpRoute = route(createTopUp, (context, { params, body }) =>
  bringInTo(context, params.id, "top_up", body),
);

export const createGrantRoute = route(createGrant, (context, { params, body }) =>
  bringInTo(context, params.id, "promotion", body),
);

async function bringInTo(
  context: IntakeContext,
  customerId: CustomerId,
  kind: IncomingMoney["kind"],
  body: IncomingDefinition,
): Promise<Reply> {
  const { ref, priority, outcome_types: outcomeTypes } = body;
  await checkScope(context, outcomeTypes ?? []);
  const expiresAtMs = body.expires_at === null ? null : Date.parse(body.expires_at);
  const amount = nanosOf(body.amount);
  const brought = await bringIn(context.pool, { customerId, kind, ref, amount, priority, expiresAtMs, outcomeTypes });
  switch (brought.kind) {
    case "granted":
      return { status: brought.isNew ? 201 : 200, body: renderGrant(brought.grant) };
    case "no_customer":
      throw noCustomer(customerId);
    case "on_account":
      throw new ApiError(
        "not_prepaid",
        `${customerId} is billed on account and has no prepaid money. Change the billing to prepaid before the first job.`,
        { param: "id" },
      );
    case "ref_reused":
      throw new ApiError(
        "grant_ref_reused",
        `The ref "${ref}" has brought in ${brought.grant.id} before, which differs. Use a new ref for other money.`,
        { param: "/ref" },
      );
    case "expired":
      throw new ApiError(
        "invalid_field",
        `/expires_at: has passed already: it is ${isoTime(brought.nowMs)} by the customer's clock. Give a later time, or none.`,
        { param: "/expires_at" },
      );
  }
}

/** Money for an outcome type that there is not could never be spent. */
async function checkScope({ latest }: IntakeContext, names: readonly string[]): Promise<void> {
  const versions = await Promise.all(names.map((name) => latest.get(name)));
  const at = versions.indexOf(null);
  if (at === -1) return;
  const message = `/outcome_types/${at}: there is no outcome type "${names[at]}". Correct its name, or publish it first.`;
  throw new ApiError("invalid_field", message, { param: `/outcome_types/${at}` });
}
