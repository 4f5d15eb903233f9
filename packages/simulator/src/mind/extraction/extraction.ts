/** Extraction: a document in the prompt, a schema that asks for its figures. */
import type { Solution, Solver, Task } from "../task.ts";
import { answerFor, asksForDocument } from "./answer.ts";
import { difficultyOf } from "./difficulty.ts";
import { documentIn } from "./document.ts";
import { extract } from "./extract.ts";
import { extractionSpoils } from "./spoils.ts";

export const extractionSolver: Solver = {
  name: "extraction",
  solve({ request, schema }: Task): Solution | null {
    if (schema === null || !asksForDocument(schema)) return null;
    const raw = documentIn(request);
    const { document, extracted } = extract(raw);
    return {
      answer: answerFor(schema, extracted),
      difficulty: difficultyOf(document, extracted),
      spoils: extractionSpoils(raw),
    };
  },
};
