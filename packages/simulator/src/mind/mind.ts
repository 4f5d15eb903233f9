/**
 * The simulated mind: from a prompt to a text, for a given model and seed.
 *
 * A solver computes the best answer from the prompt alone. Then chance decides whether this model gets it right: the
 * more able the model, the plainer the task and the more findings it was given, the likelier. A task that is unlucky is
 * unlucky for every model, so that failures on one tier foretell failures on the next, as with real ones. Nothing here
 * looks at the time or at what was asked before.
 */
import type { Json } from "@contingent/core/json";
import type { SimulatedModel } from "../models.ts";
import { chance, pick } from "./chance.ts";
import { anySolver } from "./any/any.ts";
import { codeSolver } from "./code/code.ts";
import { extractionSolver } from "./extraction/extraction.ts";
import { judgeSolver } from "./judge/judge.ts";
import { sqlSolver } from "./sql/sql.ts";
import type { Solution, Solver, Spoil, Task } from "./task.ts";

/** What the answer shall be: as the model is able to (`model`), the best one, or one with a mistake (of a kind). */
export type Wish = "model" | "right" | { readonly wrong: string | null };

export interface Thought {
  readonly text: string;
  /** The mistakes in it; none means that it is the best answer. */
  readonly mistakes: readonly string[];
  readonly difficulty: number;
}

const SOLVERS: readonly Solver[] = [judgeSolver, extractionSolver, codeSolver, sqlSolver, anySolver];

/** How much of the difference between two tasks is luck of the task itself, shared by all models. */
const TASK_LUCK = 0.3;
/** What a list of findings is worth, as skill. */
const FINDINGS_HELP = 0.1;
/** How sharply skill separates right from wrong. */
const STEEPNESS = 9;
/** Margin below which a wrong answer has two mistakes. */
const HOPELESS = -0.2;

export function think(task: Task, model: SimulatedModel, seed: string, wish: Wish): Thought {
  const { answer, difficulty, spoils } = solve(task);
  // The long text is hashed once and not for every question that is put to luck.
  const whole = String(chance(task.system, task.request, JSON.stringify(task.findings)));
  const luck = (purpose: string): number => chance(seed, model.id, purpose, whole);
  const right: Thought = { text: textOf(answer), mistakes: [], difficulty };
  if (wish === "right") return right;
  if (wish !== "model") {
    const spoil = wish.wrong === null ? choose(spoils, answer, task, luck) : spoils.find((s) => s.kind === wish.wrong);
    return (spoil && spoiled(answer, [spoil], luck, difficulty)) ?? right;
  }
  const margin = marginOf(task, model, seed, difficulty);
  if (luck("right") < 1 / (1 + Math.exp(-STEEPNESS * margin))) return right;
  const first = choose(spoils, answer, task, luck);
  if (first === null) return right;
  const second = margin < HOPELESS ? choose(spoils, answer, task, (p) => luck(`second ${p}`)) : null;
  const chosen = second === null || second.kind === first.kind ? [first] : [first, second];
  return spoiled(answer, chosen, luck, difficulty) ?? right;
}

/** Solutions depend on the prompt and the schema alone, so that an attempt on the next tier need not read again. */
const solved = new Map<string, Solution>();
const SOLVED_MAX = 500;

function solve(task: Task): Solution {
  const key = `${JSON.stringify(task.schema)}\n${task.system}\n${task.request}`;
  const known = solved.get(key);
  if (known !== undefined) return known;
  const solution = solveAnew(task);
  const [oldest] = solved.keys();
  if (solved.size >= SOLVED_MAX && oldest !== undefined) solved.delete(oldest);
  solved.set(key, solution);
  return solution;
}

function solveAnew(task: Task): Solution {
  for (const solver of SOLVERS) {
    const solution = solver.solve(task);
    if (solution !== null) return solution;
  }
  throw new Error("No solver took the task, not even the one that takes any.");
}

function marginOf(task: Task, model: SimulatedModel, seed: string, difficulty: number): number {
  const taskLuck = TASK_LUCK * (chance(seed, "task", task.request) - 0.5);
  return model.skill - difficulty + taskLuck + (task.findings.length > 0 ? FINDINGS_HELP : 0);
}

/** A mistake that fits the answer, and not one that the findings have just warned of. */
function choose(spoils: readonly Spoil[], answer: Json, task: Task, luck: (purpose: string) => number): Spoil | null {
  const possible = spoils.filter((s) => s.natural && s.apply(answer, luck) !== null);
  const warned = (s: Spoil): boolean => task.findings.some((f) => s.touches.some((part) => f.path.includes(part)));
  const unwarned = possible.filter((s) => !warned(s));
  return pick(unwarned.length > 0 ? unwarned : possible, String(luck("mistake")));
}

function spoiled(
  answer: Json,
  spoils: readonly Spoil[],
  luck: (purpose: string) => number,
  difficulty: number,
): Thought | null {
  let current = answer;
  const mistakes: string[] = [];
  for (const spoil of spoils) {
    const next = spoil.apply(current, luck);
    if (next === null) continue;
    mistakes.push(spoil.kind);
    if (isText(next)) return { text: next.text, mistakes, difficulty };
    current = next;
  }
  return mistakes.length === 0 ? null : { text: textOf(current), mistakes, difficulty };
}

function isText(value: Json | { readonly text: string }): value is { readonly text: string } {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "text";
}

function textOf(answer: Json): string {
  return typeof answer === "string" ? answer : JSON.stringify(answer);
}
