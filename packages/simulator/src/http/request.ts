/** What a client sent, checked as strictly as the API checks it. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../json.ts";
import { findModel, type SimulatedModel } from "../models.ts";
import { invalidRequest, notFound } from "./errors.ts";
import { checkOutputSchema } from "./output-schema.ts";

/** A request to the Messages API that would be answered. */
export interface MessagesRequest {
  readonly model: SimulatedModel;
  /** Null in a request for a token count, which has no limit. */
  readonly outputTokensMax: number | null;
  readonly stream: boolean;
  readonly system: string;
  /** The texts of all messages, one after the other. */
  readonly user: string;
  /** The schema that the answer must conform to, if one was asked for. */
  readonly schema: JsonObject | null;
  /** Everything that counts as input, for the token estimate. */
  readonly countedText: string;
  readonly messageCount: number;
  readonly inferenceGeo: string;
  readonly speed: "standard" | "fast";
}

const SAMPLING = ["temperature", "top_p", "top_k"] as const;

/** Checks the body of `POST /v1/messages` (or `…/count_tokens`) and takes it apart; throws the API's error otherwise. */
export function readMessagesRequest(body: Json, endpoint: "messages" | "count_tokens"): MessagesRequest {
  if (!isJsonObject(body)) throw invalidRequest("The request body is not a JSON object.");
  const modelId = body["model"];
  if (typeof modelId !== "string" || modelId === "") throw invalidRequest("model: Field required");
  const outputTokensMax = endpoint === "messages" ? readMaxTokens(body["max_tokens"]) : null;
  const messages = readMessages(body["messages"]);
  for (const field of SAMPLING) {
    if (body[field] !== undefined)
      throw invalidRequest(`${field}: this parameter is not supported by API version 2026-10-21`);
  }
  const model = findModel(modelId);
  if (model === null) throw notFound(`model: ${modelId}`);
  if (outputTokensMax !== null && outputTokensMax > model.outputTokensMax) {
    throw invalidRequest(
      `max_tokens: ${outputTokensMax} > ${model.outputTokensMax}, which is the maximum allowed number of output tokens for ${modelId}`,
    );
  }
  checkToolChoice(body["tool_choice"], model);
  const schema = readSchema(body["output_config"]);
  const system = textOf(body["system"] ?? "", "system");
  const user = messages.join("\n\n");
  const tools = body["tools"] === undefined ? "" : JSON.stringify(body["tools"]);
  return {
    model,
    outputTokensMax,
    stream: body["stream"] === true,
    system,
    user,
    schema,
    countedText: `${system}${user}${tools}${schema === null ? "" : JSON.stringify(schema)}`,
    messageCount: messages.length,
    inferenceGeo: typeof body["inference_geo"] === "string" ? body["inference_geo"] : "global",
    speed: body["speed"] === "fast" ? "fast" : "standard",
  };
}

function readMaxTokens(value: Json | undefined): number {
  if (value === undefined) throw invalidRequest("max_tokens: Field required");
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw invalidRequest("max_tokens: Input should be a valid integer");
  }
  if (value < 1) throw invalidRequest("max_tokens: Input should be greater than or equal to 1");
  return value;
}

function readMessages(value: Json | undefined): string[] {
  if (value === undefined) throw invalidRequest("messages: Field required");
  if (!isList(value)) throw invalidRequest("messages: Input should be a valid list");
  if (value.length === 0) throw invalidRequest("messages: at least one message is required");
  return value.map((message, i) => {
    if (!isJsonObject(message)) throw invalidRequest(`messages.${i}: Input should be a valid dictionary`);
    const role = message["role"];
    if (role !== "user" && role !== "assistant" && role !== "system") {
      throw invalidRequest(`messages.${i}.role: Input should be 'user', 'assistant' or 'system'`);
    }
    const text = textOf(message["content"], `messages.${i}.content`);
    if (text === "") throw invalidRequest(`messages.${i}: user messages must have non-empty content`);
    return text;
  });
}

function textOf(content: Json | undefined, path: string): string {
  if (typeof content === "string") return content;
  if (!isList(content)) throw invalidRequest(`${path}: Field required`);
  return content
    .map((block, i) => {
      if (!isJsonObject(block) || typeof block["type"] !== "string") {
        throw invalidRequest(`${path}.${i}.type: Field required`);
      }
      if (block["type"] !== "text") throw invalidRequest(`${path}.${i}.type: the simulator reads only 'text' blocks`);
      if (typeof block["text"] !== "string") throw invalidRequest(`${path}.${i}.text: Field required`);
      return block["text"];
    })
    .join("\n");
}

function checkToolChoice(choice: Json | undefined, model: SimulatedModel): void {
  if (!isJsonObject(choice)) return;
  const forced = choice["type"] === "any" || choice["type"] === "tool";
  if (forced && !model.forcedToolChoice) {
    throw invalidRequest(
      `tool_choice: forcing a tool is not supported by ${model.id}; use output_config.format for JSON`,
    );
  }
}

function readSchema(config: Json | undefined): JsonObject | null {
  if (!isJsonObject(config)) return null;
  const format = config["format"];
  if (format === undefined || format === null) return null;
  if (!isJsonObject(format) || format["type"] !== "json_schema") {
    throw invalidRequest("output_config.format.type: Input should be 'json_schema'");
  }
  const schema = format["schema"];
  if (!isJsonObject(schema)) throw invalidRequest("output_config.format.schema: Field required");
  checkOutputSchema(schema);
  return schema;
}
