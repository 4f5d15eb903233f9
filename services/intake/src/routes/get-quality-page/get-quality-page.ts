import { HTML_TYPE } from "@contingent/contracts/http/operation";
import { getQualityPage } from "@contingent/contracts/http/quality";
import { route } from "../../http/route.ts";
import { findQuality } from "../../quality/find-quality.ts";
import { QUALITY_PAGE_POLICY, qualityPage } from "../../quality/page/page.ts";
import { renderQuality } from "../../quality/render.ts";

export const getQualityPageRoute = route(getQualityPage, async (context, { params: { name }, query, response }) => {
  const quality = renderQuality(name, await findQuality(context, name, query.version));
  response.writeHead(200, {
    "Content-Type": `${HTML_TYPE}; charset=utf-8`,
    "Content-Security-Policy": QUALITY_PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
  });
  response.end(qualityPage(quality, { operatorName: context.operatorName, nowMs: Date.now() }));
  return null;
});
