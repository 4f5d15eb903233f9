/** How outcome types are published and read. */
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  outcomeTypePageSchema,
  outcomeTypeParams,
  outcomeTypeSchema,
  outcomeTypeVersionParams,
  pageQuery,
  publishOutcomeTypeSchema,
} from "./outcome-types.ts";

export const putOutcomeType = {
  id: "putOutcomeType",
  method: "put",
  path: "/v1/outcome-types/{name}",
  access: "operator",
  scope: "types:write",
  tag: "Outcome types",
  summary: "Publish an outcome type",
  description:
    "Makes a new, immutable version. Jobs that were accepted before keep theirs. An unchanged definition makes none.",
  params: outcomeTypeParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: publishOutcomeTypeSchema },
  answers: {
    200: { description: "The latest version says the same already.", schema: outcomeTypeSchema },
    201: { description: "Published.", schema: outcomeTypeSchema, headers: { Location: "Where to read the version." } },
  },
  errors: [...BODY_ERRORS, "invalid_outcome_type", "insufficient_data", "sandbox_unavailable"],
} as const satisfies Operation;

export const listOutcomeTypes = {
  id: "listOutcomeTypes",
  method: "get",
  path: "/v1/outcome-types",
  access: "operator",
  scope: "types:read",
  tag: "Outcome types",
  summary: "List outcome types, each in its latest version",
  query: pageQuery,
  answers: { 200: { description: "A page of outcome types, by name.", schema: outcomeTypePageSchema } },
  errors: [],
} as const satisfies Operation;

export const getOutcomeType = {
  id: "getOutcomeType",
  method: "get",
  path: "/v1/outcome-types/{name}",
  access: "operator",
  scope: "types:read",
  tag: "Outcome types",
  summary: "Read the latest version",
  params: outcomeTypeParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The latest version.", schema: outcomeTypeSchema } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;

export const listOutcomeTypeVersions = {
  id: "listOutcomeTypeVersions",
  method: "get",
  path: "/v1/outcome-types/{name}/versions",
  access: "operator",
  scope: "types:read",
  tag: "Outcome types",
  summary: "List the versions of an outcome type, newest first",
  params: outcomeTypeParams,
  query: pageQuery,
  answers: { 200: { description: "A page of versions.", schema: outcomeTypePageSchema } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;

export const getOutcomeTypeVersion = {
  id: "getOutcomeTypeVersion",
  method: "get",
  path: "/v1/outcome-types/{name}/versions/{version}",
  access: "operator",
  scope: "types:read",
  tag: "Outcome types",
  summary: "Read one version",
  params: outcomeTypeVersionParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The version.", schema: outcomeTypeSchema } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;
