import { providerNames } from "@contingent/catalog/models";
import { reconcile } from "@contingent/contracts/http/reconciliations";
import { reconcile as compareWithBooks } from "@contingent/ledger/reconcile";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";
import { readReconciliation } from "../../reconciliations/render.ts";

const DAY_MS = 24 * 60 * 60_000;

export const reconcileRoute = route(reconcile, async ({ pool }, { body, caller }) => {
  const { provider, from, until } = body;
  refuseUnknownProvider(provider);
  refuseFuture(until);
  const reconciled = await compareWithBooks(pool, {
    period: { provider, from, until },
    lines: body.lines.map(({ model, day, amount }) => ({ model, day, amount: nanosOf(amount) })),
    currency: "USD",
    uploadedBy: caller.keyId,
  });
  if (reconciled.kind === "overlaps") {
    const other = reconciled.period;
    const message = `${other.from} until ${other.until} of ${provider} was reconciled already, and no day is reconciled twice: upload exactly that period again to correct it, or leave its days out.`;
    throw new ApiError("reconciliation_overlap", message, { param: "/from" });
  }
  const answer = await readReconciliation(pool, reconciled.id);
  const headers = { Location: `/v1/reconciliations/${reconciled.id}` };
  return reconciled.isNew ? { status: 201, body: answer, headers } : { status: 200, body: answer };
});

function refuseUnknownProvider(provider: string): void {
  const known: readonly string[] = providerNames;
  if (known.includes(provider)) return;
  const message = `/provider: there is no provider "${provider}"; there is ${known.join(", ")}.`;
  throw new ApiError("invalid_field", message, { param: "/provider" });
}

/** Today may be compared as it is so far; what has not begun may not. */
function refuseFuture(until: string): void {
  const tomorrow = new Date(Date.now() + DAY_MS).toISOString().slice(0, until.length);
  if (until <= tomorrow) return;
  const message = `/until: lies in the future: the last day may be today, so send ${tomorrow} at most.`;
  throw new ApiError("invalid_field", message, { param: "/until" });
}
