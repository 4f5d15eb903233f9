/** The OpenAPI document as the API serves it: what is attacked, and what its answers are held against. */
import { z } from "zod";

const schemaSchema = z.record(z.string(), z.unknown());
export type Schema = z.output<typeof schemaSchema>;

const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema }));

const operationSchema = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(z.object({ in: z.string(), name: z.string(), required: z.boolean().default(false), schema: schemaSchema }))
    .default([]),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: contentSchema.optional() })),
});

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), schemaSchema) }),
});

export interface DocumentedRoute extends z.output<typeof operationSchema> {
  /** In upper case. */
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
}

export interface ApiDocument {
  readonly routes: readonly DocumentedRoute[];
  /** By name, as `#/components/schemas/<name>` refers to them. */
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** As it is served. */
export async function readDocument(url: string): Promise<ApiDocument> {
  return documentIn(await (await fetch(`${url}/openapi.json`)).json());
}

export function documentIn(json: unknown): ApiDocument {
  const { paths, components } = documentSchema.parse(json);
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  return { routes, schemas: components.schemas };
}

/** The scope that a route needs; null: it needs no key. */
export function scopeOf({ security }: DocumentedRoute): string | null {
  return security[0]?.["key"]?.[0] ?? null;
}
