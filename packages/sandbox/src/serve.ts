/** The life of a child: it waits for a check, makes it, answers, and ends when the pipe does. */
import { Socket } from "node:net";
import { type RegisteredCheck, type Subject, ValidatorError } from "@contingent/validators/validator";
import { REPLY_BYTES_MAX, REQUEST_BYTES_MAX } from "./bounds.ts";
import { frame, FrameReader } from "./frames.ts";
import { watchIntrinsics } from "./intrinsics.ts";
import { lockDown } from "./lockdown.ts";
import { type CheckRequest, encode, type Outcome } from "./wire.ts";

/** The pipe to whoever started it. There is nothing else open. */
const PIPE = 3;
const OPTIONS_KEPT_MAX = 100;

/** Makes checks until the pipe ends. Loads nothing: whoever calls it has loaded the checks. */
export function serve(checkNamed: (name: string) => RegisteredCheck | null): void {
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  // Kept from what goes: the end (`process.exit` would look for what it is made of), and what this process uses.
  const exit = Reflect.get(process, "reallyExit") as (code: number) => never;
  const rssBytes = process.memoryUsage.rss.bind(process);
  const cpuUsage = process.cpuUsage.bind(process);
  lockDown();
  const haveChanged = watchIntrinsics();
  const optionsOf = keepOptions();

  const answer = async (payload: Buffer): Promise<void> => {
    const { outcome, unexpected } = await outcomeOf(payload, checkNamed, optionsOf);
    const { user, system } = cpuUsage();
    const reply = encode({
      outcome,
      tainted: unexpected || haveChanged(),
      rssBytes: rssBytes(),
      cpuMs: (user + system) / 1_000,
    });
    if (reply.length > REPLY_BYTES_MAX) exit(1);
    pipe.write(frame(reply));
  };

  const reader = new FrameReader(REQUEST_BYTES_MAX);
  pipe.on("data", (chunk: Buffer) => {
    for (const payload of reader.push(chunk)) void answer(payload);
  });
  // Whoever started it is gone, or has no more use for it.
  pipe.on("end", () => exit(0));
  pipe.on("error", () => exit(0));
  // An empty message: ready.
  pipe.write(frame(Buffer.alloc(0)));
}

async function outcomeOf(
  payload: Buffer,
  checkNamed: (name: string) => RegisteredCheck | null,
  optionsOf: (text: string) => unknown,
): Promise<{ readonly outcome: Outcome; readonly unexpected: boolean }> {
  try {
    const request = requestIn(payload);
    const validator = checkNamed(request.validator);
    if (validator === null || validator.version !== request.version)
      throw new ValidatorError(`there is no ${request.validator}@${request.version} in the sandbox`);
    const { input, output, outputSchema }: Subject = request;
    const result = await validator.run({ input, output, outputSchema }, optionsOf(request.options));
    return { outcome: { kind: "result", result }, unexpected: false };
  } catch (error) {
    if (error instanceof ValidatorError) return { outcome: broke(error.message), unexpected: false };
    // Of an error that is not ours only its kind: its text may quote the answer. A parser that threw it may be damaged.
    return {
      outcome: broke(`the check threw ${error instanceof Error ? error.name : typeof error}`),
      unexpected: true,
    };
  }
}

function requestIn(payload: Buffer): CheckRequest {
  try {
    return JSON.parse(payload.toString("utf8")) as CheckRequest;
  } catch {
    throw new ValidatorError("the request is not JSON");
  }
}

function broke(message: string): Outcome {
  return { kind: "broke", message };
}

/** Equal options as the same object, so that a validator reads them once: each outcome type version has its own. */
function keepOptions(): (text: string) => unknown {
  const kept = new Map<string, unknown>();
  return (text) => {
    const known = kept.get(text);
    const options: unknown = known ?? JSON.parse(text);
    kept.delete(text);
    kept.set(text, options);
    const oldest = kept.keys().next();
    if (kept.size > OPTIONS_KEPT_MAX && oldest.done !== true) kept.delete(oldest.value);
    return options;
  };
}
