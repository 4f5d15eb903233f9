import { putOutcomeType } from "@contingent/contracts/http/outcome-type-operations";
import { publishVersion } from "@contingent/db/outcome-types-published";
import { readJsonBody } from "../../http/read-body.ts";
import { route } from "../../http/route.ts";
import { renderOutcomeType } from "../../outcome-types/render.ts";
import { resolveSent } from "../../outcome-types/resolve-sent.ts";

export const putOutcomeTypeRoute = route(
  putOutcomeType,
  async (context, { params: { name }, request }) => {
    const sent = await readJsonBody(request, putOutcomeType.body.type);
    const { definition, content } = await resolveSent(context, name, sent);
    const published = await publishVersion(context.pool, name, definition, content);
    context.latest.forget(name);
    const Location = `/v1/outcome-types/${name}/versions/${published.version}`;
    return { status: published.isNew ? 201 : 200, body: renderOutcomeType(published), headers: { Location } };
  },
  { readsBody: true },
);
