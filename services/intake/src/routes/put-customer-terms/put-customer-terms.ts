import { putCustomerTerms } from "@contingent/contracts/http/customer-terms";
import { isJsonObject } from "@contingent/core/json";
import { publishTerms } from "@contingent/db/customer-terms";
import { noCustomer, visibleCustomer } from "../../customers/find.ts";
import { renderTerms } from "../../customers/render.ts";
import { customerTermsOf, termsProblems } from "../../customers/terms.ts";
import { ApiError } from "../../http/api-error.ts";
import { check } from "../../http/check.ts";
import { readJsonBody } from "../../http/read-body.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";

export const putCustomerTermsRoute = route(
  putCustomerTerms,
  async (context, { params: { id }, caller, request }) => {
    const definition = await readJsonBody(request, putCustomerTerms.body.type);
    const checked = check(putCustomerTerms.body.schema, definition, "body");
    const problems = await termsProblems(checked, (name) => context.latest.get(name));
    const [first] = problems;
    if (first !== undefined || !isJsonObject(definition)) {
      const message = `The terms would not work; ${problems.length} to correct, the first one ${first?.param}: ${first?.message}.`;
      throw new ApiError("invalid_customer_terms", message, { param: first?.param ?? "", problems });
    }
    const effectiveFromMs = checked.effective_from === undefined ? null : Date.parse(checked.effective_from);
    const published = await publishTerms(context.pool, id, {
      definition,
      terms: customerTermsOf(checked),
      effectiveFromMs,
    });
    switch (published.kind) {
      case "published": {
        const { account } = await visibleCustomer(context, caller, id);
        return { status: published.isNew ? 201 : 200, body: renderTerms(published.terms, account.termsId) };
      }
      case "no_customer":
        throw noCustomer(id);
      case "too_late":
        throw new ApiError(
          "invalid_field",
          `/effective_from: has passed already: it is ${isoTime(published.nowMs)} by the customer's clock, and jobs were accepted under other terms before. Give a later time, or none.`,
          { param: "/effective_from" },
        );
    }
  },
  { readsBody: true },
);
