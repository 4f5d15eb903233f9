/** What is sold to whoever attacks. */
import type { AttackedApi } from "./api.ts";
import { SECRET_NAME } from "./signature.ts";

export const TYPE = "attacked";
/** Delivered outcomes wait for their customer; answers for a person. */
export const REVIEWED = "attacked-reviewed";
/** A service is asked about answers. */
export const QUESTIONED = "attacked-questioned";
/** Whatever is billed is audited. */
export const AUDITED = "attacked-audited";

export const JOB = { outcome_type: TYPE, input: { document: "Invoice 1" } } as const;

export const DEFINITION = {
  description: "What is in a document",
  currency: "USD",
  prompt: { system: "Extract.", user: "{{input.document}}" },
  input_schema: {
    type: "object",
    properties: { document: { type: "string", minLength: 1 } },
    required: ["document"],
    additionalProperties: false,
  },
  output_schema: { type: "object", properties: { total: { type: "string" } }, required: ["total"] },
  validator: { use: "json_schema", options: {} },
  success_at: 0.9,
  cascade: [{ tier: "fast" }],
  cost_cap: "0.08",
  deadline_ms: 600_000,
  price: { shape: "binary", amount: "0.04" },
} as const;

const COMPLETE = { use: "fields_complete", options: { entities: "", required: ["total"] } };
const HUMAN = { instructions: "Is the total that of the document?", sla_ms: 60_000, on_silence: "fail", score: true };
const SERVICE = {
  url: "https://checks.example.com/",
  secret: SECRET_NAME,
  mode: "callback",
  reply_within_ms: 60_000,
};

export async function publishTypes({ operator }: AttackedApi): Promise<void> {
  const acceptance = { mode: "window", duration_ms: 600_000, on_silence: "release" };
  const asking = (use: string, options: object) => ({ all: [COMPLETE, { use, options }] });
  await operator.publish(TYPE, DEFINITION);
  await operator.publish(REVIEWED, { ...DEFINITION, acceptance, validator: asking("human", HUMAN) });
  await operator.publish(QUESTIONED, { ...DEFINITION, validator: asking("http", SERVICE) });
  await operator.publish(AUDITED, { ...DEFINITION, success_at: 0.5, audit: { rate: 1, credit: true } });
}
