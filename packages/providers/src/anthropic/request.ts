/** A request as the Messages API wants it, and how large it can be. */
import type { MessageCountTokensParams, MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages";
import type { ModelRequest } from "../provider.ts";
import { schemaAsInstruction, sendableSchema } from "./output-schema.ts";

/** Tokens that the API adds to what is sent: roles and message frames, and its own instructions for structured output. */
const OVERHEAD_TOKENS = 1_000;

/**
 * The body of `POST /v1/messages`. Streamed, because answers of more than 21,333 tokens must be. No temperature and no
 * forced tool: the models refuse both. Standard capacity only, because priority capacity has no published price.
 */
export function createParams(request: ModelRequest): MessageCreateParamsStreaming {
  return {
    ...countParams(request),
    max_tokens: request.outputTokensMax,
    service_tier: "standard_only",
    stream: true,
  };
}

/** The part of the body that the prompt's tokens depend on. */
export function countParams(request: ModelRequest): MessageCountTokensParams {
  const { system, user, schema } = partsOf(request);
  return {
    model: request.model,
    ...(system === "" ? {} : { system }),
    messages: [{ role: "user", content: user }],
    ...(schema === null ? {} : { output_config: { format: { type: "json_schema", schema } } }),
  };
}

/**
 * An upper bound of the prompt's tokens, without asking anybody: the bytes of everything that is sent, and the overhead.
 *
 * It is a bound because the tokenizer works on bytes: each token stands for at least one byte of the text. Should it
 * normalise the text first (NFKC, as older tokenizers did), the normalised text can be longer, so the longer one counts.
 * Text has three to four bytes per token, so the bound is three to four times the truth.
 */
export function inputTokensAtMost(request: ModelRequest): number {
  const { system, user, schema } = partsOf(request);
  const schemaText = schema === null ? "" : JSON.stringify(schema);
  return bytesOf(system) + bytesOf(user) + bytesOf(schemaText) + OVERHEAD_TOKENS;
}

interface Parts {
  readonly system: string;
  readonly user: string;
  readonly schema: { [key: string]: unknown } | null;
}

/** Half a surrogate pair anywhere in the text would get the whole request refused. */
function partsOf({ system, user, outputSchema }: ModelRequest): Parts {
  const schema = outputSchema === null ? null : sendableSchema(outputSchema);
  const instruction = outputSchema !== null && schema === null ? schemaAsInstruction(outputSchema) : "";
  return { system: `${system}${instruction}`.toWellFormed(), user: user.toWellFormed(), schema };
}

function bytesOf(text: string): number {
  return Math.max(Buffer.byteLength(text), Buffer.byteLength(text.normalize("NFKC")));
}
