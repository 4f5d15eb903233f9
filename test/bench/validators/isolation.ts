/** How long checks take beside one that computes until it is killed, compared with how long they take without it. */
import type { RegisteredCheck, Subject } from "@contingent/validators/validator";
import type { Sandbox } from "@contingent/sandbox/sandbox";

/** oxc's time grows with the square of these levels: it would take a minute. */
const STUCK_LEVELS = 8_000;
const ROUNDS = 4;

export interface Isolation {
  readonly aloneMs: readonly number[];
  readonly besideMs: readonly number[];
  /** How often a stuck check was killed meanwhile. */
  readonly killed: number;
}

/** Turns are taken, because this machine's speed at another time is another machine's. */
export async function measureIsolation(
  sandbox: Sandbox,
  codeSyntax: RegisteredCheck,
  once: () => Promise<number>,
  checks: number,
): Promise<Isolation> {
  const aloneMs: number[] = [];
  const besideMs: number[] = [];
  let killed = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let i = 0; i < checks; i += 1) aloneMs.push(await once());
    const beside = new AbortController();
    const stuck = keepStuck(sandbox, codeSyntax, beside.signal);
    for (let i = 0; i < checks; i += 1) besideMs.push(await once());
    beside.abort();
    killed += await stuck;
  }
  return { aloneMs, besideMs, killed };
}

/** One stuck check after the other. Says how many were killed. */
async function keepStuck(sandbox: Sandbox, codeSyntax: RegisteredCheck, until: AbortSignal): Promise<number> {
  let killed = 0;
  for (; !until.aborted; killed += 1) await stuckCheck(sandbox, codeSyntax);
  return killed;
}

async function stuckCheck(sandbox: Sandbox, codeSyntax: RegisteredCheck): Promise<void> {
  const output = `let a = ${"a<(".repeat(STUCK_LEVELS)}1${")".repeat(STUCK_LEVELS)}`;
  const subject: Subject = { input: null, output, outputSchema: {} };
  const { findings } = await sandbox.run(codeSyntax, subject, { language: "typescript", code: "" });
  if (findings[0]?.code !== "limits_exceeded") throw new Error("the stuck check was not killed");
}
