import { TREE_DEPTH_MAX, TREE_LEAVES_MAX, WEIGHT_MAX } from "./bounds.ts";
import { quote } from "./finding.ts";
import { join } from "./pointer.ts";
import { validatorNamed, validatorNames } from "./registry.ts";
import type { Problem } from "./validator.ts";

/**
 * Checks a validator tree as it arrives with a new outcome type: every mistake with its place and what to write instead.
 * @param path the JSON pointer of the tree in the definition (`/validator`); the answers' paths start with it
 * @returns no problems: `evaluate` will run this tree
 */
export function checkTree(tree: unknown, path: string): readonly Problem[] {
  const check: Check = { problems: [], leaves: 0 };
  visit(tree, path, check, 1);
  if (check.leaves > TREE_LEAVES_MAX)
    check.problems.push({ path, message: `has more than ${TREE_LEAVES_MAX} validators: leave some out` });
  return check.problems;
}

interface Check {
  readonly problems: Problem[];
  leaves: number;
}

const A_NODE =
  '{"use": "<validator>", "options": {…}}, {"all": [ … ]}, {"any": [ … ]}, {"weighted": [{"weight": 1, "of": … }]} or {"not": … }';

/** What may stand beside each kind of node. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  use: ["use", "options"],
  all: ["all"],
  any: ["any"],
  weighted: ["weighted", "threshold"],
  not: ["not"],
};

type Report = (message: string, at?: string) => void;

function visit(node: unknown, path: string, check: Check, depth: number): void {
  const problem: Report = (message, at = path) => void check.problems.push({ path: at, message });
  if (!isObject(node)) return problem(`must be an object: ${A_NODE}`);
  const kind = Object.keys(NAMES).find((name) => node[name] !== undefined);
  if (kind === undefined) return problem(`must be one of: ${A_NODE}`);
  const unknown = Object.keys(node).filter((name) => NAMES[kind]?.includes(name) !== true);
  for (const name of unknown.slice(0, 5)) problem("is not known here: remove it", join(path, name));
  if (kind === "use") {
    check.leaves += 1;
    return leaf(node["use"], node["options"], path, problem);
  }
  if (depth >= TREE_DEPTH_MAX) return problem(`nests deeper than ${TREE_DEPTH_MAX} levels`);
  const below = join(path, kind);
  const members = node[kind];
  if (kind === "not") return visit(members, below, check, depth + 1);
  if (!Array.isArray(members) || members.length === 0)
    return problem("must be a list of at least one of these objects", below);
  for (const [index, member] of members.slice(0, TREE_LEAVES_MAX + 1).entries()) {
    const at = join(below, index);
    if (kind !== "weighted") visit(member, at, check, depth + 1);
    else if (isWeighed(member, at, problem)) visit(member["of"], join(at, "of"), check, depth + 1);
  }
  if (kind === "weighted" && !(node["threshold"] === undefined || isShare(node["threshold"])))
    problem("must be a number above 0 and at most 1", join(path, "threshold"));
}

/** Whether a member of `weighted` has a node to look at. */
function isWeighed(member: unknown, path: string, problem: Report): member is Readonly<Record<string, unknown>> {
  if (!isObject(member)) {
    problem('must be an object: {"weight": 1, "of": … }', path);
    return false;
  }
  const { weight } = member;
  if (!(typeof weight === "number" && weight > 0 && weight <= WEIGHT_MAX))
    problem(`must be a number above 0 and at most ${WEIGHT_MAX}`, join(path, "weight"));
  for (const name of Object.keys(member)
    .filter((n) => n !== "weight" && n !== "of")
    .slice(0, 5))
    problem("is not known here: remove it", join(path, name));
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShare(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= 1;
}

function leaf(use: unknown, options: unknown, path: string, problem: Report): void {
  const validator = typeof use === "string" ? validatorNamed(use) : null;
  if (validator === null) {
    const name = typeof use === "string" ? quote(use) : "that is not a string";
    return problem(`there is no validator ${name}; there are: ${validatorNames().join(", ")}`, join(path, "use"));
  }
  const optionsPath = join(path, "options");
  if (options === undefined)
    return problem(`is missing: the options of ${validator.name} ({} if it needs none)`, optionsPath);
  for (const { path: below, message } of validator.problemsOf(options)) problem(message, optionsPath + below);
}
