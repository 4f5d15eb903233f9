import type { Commit, Transition } from "./commit.ts";
import { insist } from "./insist.ts";
import type { Pool } from "./pool.ts";

/** The event says what happened to the job; where two could say the same in the same words, what came with it is told by its id. */
const STANDS = `
  SELECT FROM job_event
   WHERE job_id = $1 AND revision = $2 AND type = $3 AND data = $4::jsonb
     AND ($5::text IS NULL OR EXISTS (SELECT FROM attempt WHERE id = $5))
     AND ($6::text IS NULL OR EXISTS (SELECT FROM verdict WHERE id = $6))`;

/**
 * Commits a transition, again and again while the database is away. An interrupted COMMIT may have happened, and its repeat
 * then finds the job at another revision: so it is looked up whether that is this very transition.
 * @returns whether it is this transition that stands
 * @throws the last error once `untilMs` (of `performance.now()`) has passed, and a refusal by the database at once
 */
export async function insistOnCommit(
  { pool, commit }: { readonly pool: Pool; readonly commit: Commit },
  transition: Transition,
  untilMs: number,
): Promise<boolean> {
  let isInterrupted = false;
  const run = async (): Promise<boolean> => {
    const interruptedBefore = isInterrupted;
    isInterrupted = true;
    const won = await commit(transition);
    isInterrupted = interruptedBefore;
    return won;
  };
  const won = await insist(run, untilMs);
  return won || (isInterrupted && (await insist(() => stands(pool, transition), untilMs)));
}

async function stands(pool: Pool, { next, event, effects, verdict }: Transition): Promise<boolean> {
  const started = effects.find((effect) => effect.type === "start_attempt");
  const { rowCount } = await pool.query({
    name: "transition-stands",
    text: STANDS,
    values: [
      next.id,
      next.revision,
      event.type,
      JSON.stringify(event.data),
      started?.attemptId ?? null,
      verdict?.id ?? null,
    ],
  });
  return rowCount === 1;
}
