import { getQuality } from "@contingent/contracts/http/quality";
import { route } from "../../http/route.ts";
import { findQuality } from "../../quality/find-quality.ts";
import { renderQuality } from "../../quality/render.ts";

export const getQualityRoute = route(getQuality, async (context, { params: { name }, query }) => ({
  status: 200,
  body: renderQuality(name, await findQuality(context, name, query.version)),
}));
