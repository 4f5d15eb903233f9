/** Jobs with a text in every place where there can be one, and everything that the database holds. */
import { randomBytes } from "node:crypto";
import type { JobId } from "@contingent/core/ids";
import type { Pool } from "@contingent/db/pool";
import { type Api, DEFINITION } from "../harness.ts";
import { judgeNext } from "../reverify-job/judged-job.ts";
import { HUMAN } from "../reviews/reviewed.ts";

export const REVIEWED = "reviewed-texts";

/** A type whose answers a person looks at. */
export const REVIEWED_TYPE = {
  ...DEFINITION,
  validator: { all: [DEFINITION.validator, { use: "human", options: HUMAN }] },
};

/** Texts that occur nowhere else. */
export interface Texts {
  readonly input: string;
  readonly metadata: string;
  readonly answer: string;
  readonly finding: string;
}

export function someTexts(): Texts {
  const canary = (of: string): string => `canary-${of}-${randomBytes(6).toString("hex")}`;
  return { input: canary("input"), metadata: canary("metadata"), answer: canary("answer"), finding: canary("finding") };
}

/** Everything that the database holds, as one text. */
export async function everything(pool: Pool): Promise<string> {
  const tables = await pool.query<{ name: string }>({
    text: "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  });
  const contents: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await pool.query<{ line: string }>({ text: `SELECT to_jsonb(t)::text AS line FROM ${name} t` });
    contents.push(...rows.map(({ line }) => line));
  }
  return contents.join("\n");
}

/** Which of the texts the database holds. */
export async function textsIn(pool: Pool, texts: Texts): Promise<readonly string[]> {
  const stored = await everything(pool);
  return Object.values<string>({ ...texts }).filter((text) => stored.includes(text));
}

/** A closed job that was charged, after a review, with its texts in every place; its answer to the request is stored too. */
export async function closedJob(api: Api, texts: Texts, outcomeKey: string): Promise<JobId> {
  const body = {
    outcome_type: REVIEWED,
    input: { document: texts.input },
    outcome_key: outcomeKey,
    metadata: { note: texts.metadata },
  };
  const headers = { "idempotency-key": `"${outcomeKey}"` };
  const { id } = await api.customer.submit(body, headers);
  const answer = JSON.stringify({ total: "12.00", note: texts.answer });
  const finding = { path: "/note", code: "odd", message: texts.finding };
  const said = { leaf: "/all/1", result: { score: 0.95, findings: [finding] } };
  await judgeNext(api, id, { text: answer, said });
  return id;
}
