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
  readonly input: DocumentInput | FunctionInput;
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

export type DocumentInput = z.output<typeof documentInput>;
export type FunctionInput = z.output<typeof functionInput>;

const HERE = import.meta.dirname;

/** Both outcome types. */
export const sampleOutcomeTypes: readonly SampleOutcomeType[] = [
  readOutcomeType("data-extraction"),
  readOutcomeType("code-generation"),
];

/** Every sample job, the two outcome types taking turns, so that a short look at a run shows both. */
export const sampleJobs: readonly SampleJob[] = takingTurns(
  jobsIn("data-extraction", (text) => documentInput.parse({ document: text })),
  jobsIn("code-generation", (text) => functionInput.parse(JSON.parse(text))),
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

/** Items of both lists, one of the shorter after every few of the longer. */
function takingTurns<T>(first: readonly T[], second: readonly T[]): T[] {
  const place = (item: T, i: number, of: readonly T[]): { item: T; at: number } => ({
    item,
    at: (i + 0.5) / of.length,
  });
  return [...first.map(place), ...second.map(place)].toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
