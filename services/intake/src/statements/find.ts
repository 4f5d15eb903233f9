import type { StatementId } from "@contingent/core/ids";
import { statementSubject } from "@contingent/core/statement/period";
import {
  type FoundStatement,
  findStatement,
  type StatementView,
  viewStatement,
} from "@contingent/ledger/statement/read";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Caller } from "../http/authenticate.ts";
import { maySee } from "../http/may-see.ts";

/**
 * The statement, if the caller may see it. The id says whose it is, so another customer's is not even looked up.
 * @throws ApiError statement_not_found
 */
export async function findVisibleStatement(
  context: IntakeContext,
  caller: Caller,
  id: StatementId,
): Promise<FoundStatement> {
  const mayLook = maySee(caller, statementSubject(id)?.customerId);
  const found = mayLook ? await findStatement(context.pool, id) : null;
  if (found === null) throw statementNotFound(id);
  return found;
}

/** The same with its figures. */
export async function viewVisibleStatement(
  context: IntakeContext,
  caller: Caller,
  id: StatementId,
): Promise<StatementView> {
  return await viewStatement(context.pool, context.terms, await findVisibleStatement(context, caller, id));
}

export function statementNotFound(id: StatementId): ApiError {
  return new ApiError(
    "statement_not_found",
    `There is no statement ${id}. List the statements to see which there are.`,
    {
      param: "id",
    },
  );
}
