import { listCustomerTerms } from "@contingent/contracts/http/customer-terms";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { termsVersions } from "@contingent/db/customer-terms";
import { visibleCustomer } from "../../customers/find.ts";
import { renderTerms } from "../../customers/render.ts";
import { versionCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listCustomerTermsRoute = route(listCustomerTerms, async (context, { params, query, caller }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = versionCursor(query.cursor);
  const { id, account } = await visibleCustomer(context, caller, params.id);
  const versions = await termsVersions(context.pool, id, { before, limit: limit + 1 });
  const show = (terms: (typeof versions)[number]): ReturnType<typeof renderTerms> =>
    renderTerms(terms, account.termsId);
  return { status: 200, body: pageOf(versions, limit, show, ({ version }) => String(version)) };
});
