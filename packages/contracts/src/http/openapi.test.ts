import { DECIMAL_PATTERN } from "@contingent/core/money";
import { expect, test } from "vitest";
import { ERRORS } from "./errors.ts";
import { errorsOf, openApiDocument } from "./openapi.ts";
import { OPERATIONS } from "./operations.ts";

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  readonly security?: readonly unknown[];
}

const document = openApiDocument({ version: "1.2.3" });
const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, Described>>>>;

test("the document is OpenAPI 3.1 and refers only to what it contains", () => {
  expect(document["openapi"]).toMatch(/^3\.1\./);
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
  const { schemas } = document["components"] as { readonly schemas: object };
  expect(references.length).toBeGreaterThan(20);
  expect(references.filter((name) => name === undefined || !(name in schemas))).toEqual([]);
});

test("every operation has an id of its own", () => {
  const ids = OPERATIONS.map((operation) => operation.id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(OPERATIONS.map((operation) => [operation.id, operation] as const))(
  "%s is described in full",
  (id, operation) => {
    const described = paths[operation.path]?.[operation.method];
    expect(described?.operationId).toBe(id);
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(described?.parameters?.filter((p) => p.in === "path").map((p) => p.name) ?? []).toEqual(inPath);
    expect(Object.keys(described?.requestBody?.content ?? {})).toEqual(operation.body ? [operation.body.type] : []);
    for (const status of Object.keys(operation.answers)) expect(described?.responses[status]?.content).toBeDefined();
    for (const code of errorsOf(operation)) expect(described?.responses[ERRORS[code].status]).toBeDefined();
    expect(described?.security).toEqual(operation.scope === null ? [] : [{ key: [operation.scope] }]);
  },
);

test("what only the operator may know is in no schema that customers get", () => {
  const { schemas } = document["components"] as { readonly schemas: Readonly<Record<string, unknown>> };
  for (const name of ["Job", "Attempt", "Verdict", "Charge", "JobEvent", "BulkLine", "Finding"]) {
    expect(JSON.stringify([name, schemas[name]])).not.toMatch(/"(cost|margin|reserve|cost_cap|customer_id)":/);
  }
});

test("answers may gain fields, requests may not", () => {
  const { schemas } = document["components"] as { readonly schemas: Readonly<Record<string, object>> };
  expect(schemas["Job"]).not.toHaveProperty("additionalProperties");
  expect(schemas["CreateJob"]).toHaveProperty("additionalProperties", false);
});

test("a field that refers to a schema is not closed beside the reference, which would allow no value", () => {
  const closed: unknown[] = [];
  JSON.stringify(document, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "$ref" in value && "additionalProperties" in value)
      closed.push(value);
    return value;
  });
  expect(JSON.stringify(document)).toContain('"$ref":"#/components/schemas/Money"');
  expect(closed).toEqual([]);
});

test("ids and amounts in requests say what they look like", () => {
  expect(JSON.stringify(paths["/v1/jobs/{id}"])).toContain('"pattern":"^job_[0-9a-z]{4,40}$"');
  const { schemas } = document["components"] as { readonly schemas: Readonly<Record<string, object>> };
  expect(schemas["OutcomeTypeDefinition"]).toHaveProperty("properties.cost_cap.pattern", DECIMAL_PATTERN);
});
