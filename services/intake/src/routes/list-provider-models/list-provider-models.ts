import { listProviderModels } from "@contingent/contracts/http/providers";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { placeOf, providerModels, renderProviderModel } from "../../providers/models.ts";

export const listProviderModelsRoute = route(listProviderModels, async (context, { query }) => {
  const { cursor, limit = PAGE_SIZE_DEFAULT } = query;
  const models = await providerModels(context);
  const rest = models.filter((each) => cursor === undefined || placeOf(each) > cursor);
  return { status: 200, body: pageOf(rest, limit, renderProviderModel, placeOf) };
});
