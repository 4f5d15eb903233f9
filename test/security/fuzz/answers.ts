/** What is wrong with an answer, by the document that the API serves, and by what no answer may ever say. */
import { ERRORS, type ErrorCode } from "@contingent/contracts/http/errors";
import { errorsOf } from "@contingent/contracts/http/openapi";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { ApiDocument, DocumentedRoute, Schema } from "../support/document.ts";
import type { WireRequest } from "./mischief.ts";
import type { WireAnswer } from "./send.ts";

const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";
/** Where code stands, statements and what libraries say of themselves. */
const INSIDES =
  /\.ts:\d+|node:internal|node_modules|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|ECONNREFUSED|ZodError|SyntaxError/;
/** What the application answers where there is no route. */
const WITHOUT_ROUTE: ReadonlySet<string> = new Set(["route_not_found", "method_not_allowed", "malformed_request"]);

export class Answers {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  constructor({ schemas }: ApiDocument) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "document", components: { schemas } });
  }

  /** Null: nothing. `route`: the one that was meant; null when the path or the method was changed. */
  faultIn(route: DocumentedRoute | null, request: WireRequest, answer: WireAnswer): string | null {
    const { status, headers, body } = answer;
    if (status >= 500 || status < 200) return `the status ${status}`;
    if (headers["x-request-id"] === undefined) return "no X-Request-Id";
    if (INSIDES.test(body.replaceAll(request.target, ""))) return "a text from inside the program";
    if (request.isWrong && status < 400) return `the status ${status} for what no endpoint may take`;
    if (request.method === "HEAD") return null;
    if (route === null) return this.#faultWithoutRoute(answer);
    const documented = route.responses[String(status)];
    if (documented === undefined) return `the status ${status}, which the document does not name`;
    const type = (headers["content-type"] ?? "").split(";")[0] ?? "";
    const schema = documented.content?.[type]?.schema;
    if (schema === undefined) return `${type}, which the document does not name for ${status}`;
    const fault = this.#faultByType(schema, type, body);
    return fault ?? (status >= 400 ? undocumentedCode(route, body) : null);
  }

  #faultWithoutRoute({ status, headers, body }: WireAnswer): string | null {
    if (status < 400) return null;
    if (!(headers["content-type"] ?? "").startsWith(JSON_TYPE)) return "an error that is no JSON";
    const code = codeIn(body);
    return code !== null && ERRORS[code].status === status ? null : "an error of no known code";
  }

  #faultByType(schema: Schema, type: string, body: string): string | null {
    if (type === NDJSON_TYPE) {
      const lines = body.split("\n").filter((line) => line !== "");
      return lines.map((line) => this.#fault(schema, line)).find((fault) => fault !== null) ?? null;
    }
    return type === JSON_TYPE ? this.#fault(schema, body) : null;
  }

  #fault(schema: Schema, text: string): string | null {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return "JSON that is none";
    }
    const validate = this.#compile(schema);
    return validate(value) ? null : `not as documented: ${this.#ajv.errorsText(validate.errors)}`;
  }

  #compile(schema: Schema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const compiled = this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
    this.#compiled.set(schema, compiled);
    return compiled;
  }
}

function codeIn(body: string): ErrorCode | null {
  const { error } = JSON.parse(body) as { readonly error?: { readonly code?: string } };
  return error?.code !== undefined && error.code in ERRORS ? (error.code as ErrorCode) : null;
}

function undocumentedCode({ operationId }: DocumentedRoute, body: string): string | null {
  const code = codeIn(body);
  const operation = OPERATIONS.find(({ id }) => id === operationId);
  if (code === null || operation === undefined) return "an error of no known code";
  if (WITHOUT_ROUTE.has(code) || errorsOf(operation).includes(code)) return null;
  return `the error ${code}, which the document does not name`;
}
