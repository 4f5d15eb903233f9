/** The scripts that tests have given, and which step of them comes next. */
import { readStep, scriptInput, type ScriptInput, type Step } from "./step.ts";

const SCRIPTS_MAX = 10_000;

interface Script {
  readonly id: string;
  readonly match: string;
  readonly model: string | null;
  readonly endpoint: "messages" | "count_tokens";
  readonly steps: readonly Step[];
  readonly repeatsLast: boolean;
  taken: number;
}

/** A script as `GET /__simulator/scripts` shows it. */
export interface ScriptState {
  readonly id: string;
  readonly match: string;
  readonly model: string | null;
  readonly steps: number;
  readonly taken: number;
}

export class Scripts {
  readonly #scripts = new Map<string, Script>();
  #count = 0;

  /** Adds a script and returns its id. Earlier scripts come first. Throws a ZodError for what is not a script. */
  add(input: ScriptInput): string {
    if (this.#scripts.size >= SCRIPTS_MAX) throw new RangeError(`There are ${SCRIPTS_MAX} scripts; delete some first.`);
    const script = scriptInput.parse(input);
    const id = `script_${++this.#count}`;
    this.#scripts.set(id, {
      id,
      match: script.match ?? "",
      model: script.model ?? null,
      endpoint: script.endpoint ?? "messages",
      steps: script.steps.map(readStep),
      repeatsLast: script.afterwards === "last",
      taken: 0,
    });
    return id;
  }

  remove(id: string): boolean {
    return this.#scripts.delete(id);
  }

  clear(): void {
    this.#scripts.clear();
  }

  list(): ScriptState[] {
    return [...this.#scripts.values()].map((s) => ({
      id: s.id,
      match: s.match,
      model: s.model,
      steps: s.steps.length,
      taken: s.taken,
    }));
  }

  /** Takes the next step of the first script that fits and is not used up; null: the model decides. */
  take(prompt: string, model: string, endpoint: "messages" | "count_tokens"): Step | null {
    for (const script of this.#scripts.values()) {
      if (script.endpoint !== endpoint) continue;
      if (script.model !== null && script.model !== model) continue;
      if (!prompt.includes(script.match)) continue;
      const step = script.steps[script.taken];
      if (step !== undefined) {
        script.taken++;
        return step;
      }
      if (script.repeatsLast) return script.steps.at(-1) ?? null;
    }
    return null;
  }
}
