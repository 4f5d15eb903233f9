/** What an endpoint is: how it is called, what it takes and what it answers. */
import type { CustomerScope, Scope } from "@contingent/core/keys/scopes";
import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";

export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const CSV_TYPE = "text/csv";
export const HTML_TYPE = "text/html";
export const EVENTS_TYPE = "text/event-stream";

/** Who may call: anybody, any key, a customer's key or an operator's. */
export type Access = "public" | "any" | "customer" | "operator";

export interface Answer {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who may call, and what their key must be for. What customers may call is in their scopes: they could never have another. */
type Permission =
  | { readonly access: "public"; readonly scope: null }
  | { readonly access: "any" | "customer"; readonly scope: CustomerScope }
  | { readonly access: "operator"; readonly scope: Scope };

export type Operation = Permission & {
  readonly id: string;
  readonly method: "get" | "post" | "put";
  /** With parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly type: string; readonly schema: z.ZodType };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Besides those that every operation may answer with. */
  readonly errors: readonly ErrorCode[];
};

/** What every endpoint with a JSON body may answer with. */
export const BODY_ERRORS = [
  "malformed_json",
  "json_too_deep",
  "duplicate_field",
  "unusable_text",
  "missing_field",
  "body_too_large",
  "unsupported_media_type",
  "request_timeout",
] as const satisfies readonly ErrorCode[];
