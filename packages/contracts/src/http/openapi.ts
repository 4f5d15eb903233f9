/** The OpenAPI 3.1 document, made of the operations' schemas. */
import { z } from "zod";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from "zod-openapi";
import { ERRORS, type ErrorCode, errorSchema } from "./errors.ts";
import { type Access, JSON_TYPE, type Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

export interface DocumentOptions {
  readonly version: string;
}

const ACCESS_ERRORS: Readonly<Record<Access, readonly ErrorCode[]>> = {
  public: [],
  any: ["missing_api_key", "invalid_api_key", "too_many_failures", "insufficient_scope"],
  customer: ["missing_api_key", "invalid_api_key", "too_many_failures", "insufficient_scope", "wrong_scope"],
  operator: ["missing_api_key", "invalid_api_key", "too_many_failures", "insufficient_scope", "wrong_scope"],
};

const COMMON_ERRORS = [
  "internal_error",
  "database_unavailable",
  "shutting_down",
] as const satisfies readonly ErrorCode[];

const KEY_DESCRIPTION =
  "An API key: `Authorization: Bearer ctg_live_…`. It has scopes; the one that an operation needs stands with it. A key with `*` may do all that its owner may.";

/** The document as plain JSON. */
export function openApiDocument(options: DocumentOptions): Record<string, unknown> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  const document = createDocument(
    {
      openapi: "3.1.1",
      info: {
        title: "Contingent",
        version: options.version,
        description:
          "Outcomes instead of attempts: a job is worked on until a validator says that its outcome is there. You pay a fixed price for a verified outcome and nothing for a failure.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      paths,
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: KEY_DESCRIPTION },
        },
      },
    },
    // Answers may gain fields: clients must not be told that there are no others.
    { override: ({ jsonSchema, io }) => void (io === "output" && openUp(jsonSchema)) },
  );
  return JSON.parse(JSON.stringify(document), (_, value: unknown) => openUpReference(value)) as Record<string, unknown>;
}

/** Beside a reference "no other fields" would mean no fields at all: it does not look into what is referred to. */
function openUpReference(value: unknown): unknown {
  if (isReference(value)) openUp(value);
  return value;
}

function isReference(value: unknown): value is { readonly $ref: unknown; additionalProperties?: unknown } {
  return typeof value === "object" && value !== null && "$ref" in value;
}

function openUp(schema: { additionalProperties?: unknown }): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
}

/** Codes of the errors that an operation may answer with. */
export function errorsOf(operation: Operation): readonly ErrorCode[] {
  const checked = operation.query !== undefined || operation.params !== undefined || operation.body !== undefined;
  return [
    ...new Set<ErrorCode>([
      ...operation.errors,
      ...(checked ? (["invalid_field", "unknown_field"] as const) : []),
      ...ACCESS_ERRORS[operation.access],
      ...(operation.access === "public" ? [] : COMMON_ERRORS),
      ...(operation.tag === "Health" ? [] : (["too_many_requests"] as const)),
    ]),
  ];
}

type Status = `${1 | 2 | 3 | 4 | 5}${string}`;

function describe(operation: Operation): ZodOpenApiOperationObject {
  const { params, query, headers, body } = operation;
  const responses: Record<Status, ZodOpenApiResponseObject> = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    responses[status as Status] = {
      description: answer.description,
      headers: headersOf(answer.headers ?? {}),
      content: { [answer.type ?? JSON_TYPE]: { schema: answer.schema } },
    };
  }
  for (const [status, codes] of byStatus(errorsOf(operation))) {
    responses[`${status}` as Status] ??= {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join("\n\n"),
      content: { [JSON_TYPE]: { schema: errorSchema } },
    };
  }
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: operation.scope === null ? [] : [{ key: [operation.scope] }],
    requestParams: {
      ...(params === undefined ? {} : { path: params }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { header: headers }),
    },
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [body.type]: { schema: body.schema } } } }),
    responses,
  };
}

function headersOf(headers: Readonly<Record<string, string>>): z.ZodObject {
  const entries = Object.entries({ "X-Request-Id": "The request's id.", ...headers });
  return z.object(
    Object.fromEntries(entries.map(([name, description]) => [name, z.string().optional().meta({ description })])),
  );
}

function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const grouped = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return grouped;
}
