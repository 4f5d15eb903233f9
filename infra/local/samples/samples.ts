/**
 * The sample outcome types and the jobs over them, as the API takes them. Documents are text files and functions are
 * JSON files beside this one, each in the folder of its outcome type; a file's name makes its outcome key, so that the
 * same sample is never billed twice.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type OutcomeTypeDefinition, outcomeTypeDefinitionSchema } from "@contingent/contracts/http/outcome-types";
import { z } from "zod";

export interface SampleOutcomeType {
  readonly name: string;
  /** The body of `PUT /v1/outcome-types/{name}`. */
  readonly definition: OutcomeTypeDefinition;
}

/** The body of `POST /v1/jobs`. */
export interface SampleJob {
  readonly outcome_type: string;
  readonly input: DocumentInput | FunctionInput | MatchInput | QuestionInput;
  readonly outcome_key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const documentInput = z.strictObject({ document: z.string() });
const functionInput = z.strictObject({
  name: z.string(),
  signature: z.string(),
  description: z.string(),
  examples: z.array(z.strictObject({ input: z.array(z.json()), expected: z.json() })),
});

const matchInput = z.strictObject({
  document: z.string(),
  order: z.strictObject({
    buyer: z.string(),
    currency: z.string(),
    limit: z.number(),
    lines: z.array(z.strictObject({ description: z.string(), quantity: z.number(), unit_price: z.number() })),
  }),
  vendors: z.array(z.string()),
});
const questionInput = z.strictObject({
  question: z.string(),
  tables: z.array(z.strictObject({ name: z.string(), columns: z.array(z.string()) })),
});

export type DocumentInput = z.output<typeof documentInput>;
export type FunctionInput = z.output<typeof functionInput>;
export type MatchInput = z.output<typeof matchInput>;
export type QuestionInput = z.output<typeof questionInput>;

const HERE = import.meta.dirname;

/** Every outcome type. Between them they use every kind of validator there is. */
export const sampleOutcomeTypes: readonly SampleOutcomeType[] = [
  readOutcomeType("data-extraction"),
  readOutcomeType("code-generation"),
  readOutcomeType("invoice-matching"),
  readOutcomeType("invoice-approval"),
  readOutcomeType("sql-question"),
];

/** Every sample job, the outcome types taking turns, so that a short look at a run shows them all. */
export const sampleJobs: readonly SampleJob[] = takingTurns(
  jobsIn("data-extraction", (text) => documentInput.parse({ document: text })),
  jobsIn("code-generation", (text) => functionInput.parse(JSON.parse(text))),
  jobsIn("invoice-matching", (text) => matchInput.parse(JSON.parse(text))),
  jobsIn("invoice-approval", (text) => documentInput.parse({ document: text })),
  jobsIn("sql-question", (text) => questionInput.parse(JSON.parse(text))),
);

function readOutcomeType(name: string): SampleOutcomeType {
  const text = readFileSync(join(HERE, "outcome-types", `${name}.json`), "utf8");
  return { name, definition: outcomeTypeDefinitionSchema.parse(JSON.parse(text)) };
}

function jobsIn(outcomeType: string, read: (text: string) => SampleJob["input"]): SampleJob[] {
  const files = readdirSync(join(HERE, outcomeType)).toSorted();
  return files.map((file) => ({
    outcome_type: outcomeType,
    input: read(readFileSync(join(HERE, outcomeType, file), "utf8")),
    outcome_key: `sample-${file.replace(/\.[a-z]+$/, "")}`,
    metadata: { sample: file },
  }));
}

/** The items of all lists, each list spread evenly over the whole. */
function takingTurns<T>(...lists: readonly (readonly T[])[]): T[] {
  const places = lists.flatMap((list) => list.map((item, i) => ({ item, at: (i + 0.5) / list.length })));
  return places.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
