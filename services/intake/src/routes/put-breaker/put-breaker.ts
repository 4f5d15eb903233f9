import { putBreaker } from "@contingent/contracts/http/providers";
import { forceBreaker } from "@contingent/db/breakers";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { providerModels, renderProviderModel } from "../../providers/models.ts";

export const putBreakerRoute = route(putBreaker, async (context, { caller, params: { name: provider }, body }) => {
  const { model, state, reason } = body;
  const find = async () => (await providerModels(context)).find((it) => it.provider === provider && it.model === model);
  const before = await find();
  if (before === undefined) {
    const message = `The price book has no model ${model} of ${provider}. List the models: GET /v1/providers.`;
    throw new ApiError("model_not_found", message, { param: "/model" });
  }
  await forceBreaker(context.pool, { provider, model }, { state, by: caller.keyId, reason });
  context.log.warn({ provider, model, state, by: caller.keyId }, "circuit breaker set by an operator");
  return { status: 200, body: renderProviderModel((await find()) ?? before) };
});
