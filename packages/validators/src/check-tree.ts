import { TREE_DEPTH_MAX, TREE_LEAVES_MAX } from "./bounds.ts";
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
    check.problems.push({ path, message: `has ${check.leaves} validators; at most ${TREE_LEAVES_MAX} are allowed` });
  return check.problems;
}

interface Check {
  readonly problems: Problem[];
  leaves: number;
}

function visit(node: unknown, path: string, check: Check, depth: number): void {
  const problem = (message: string, at = path): void => void check.problems.push({ path: at, message });
  if (typeof node !== "object" || node === null || Array.isArray(node))
    return problem('must be an object: {"use": "<validator>", "options": {…}} or {"all": [ … ]}');
  const { use, all, options } = Object.fromEntries(Object.entries(node));
  const unknown = Object.keys(node).filter(
    (name) => !(use === undefined ? ["all"] : ["use", "options"]).includes(name),
  );
  for (const name of unknown.slice(0, 5)) problem("is not known here: remove it", join(path, name));
  if (use !== undefined) {
    check.leaves += 1;
    return leaf(use, options, path, problem);
  }
  if (!Array.isArray(all) || all.length === 0)
    return problem('must have "use" (the name of a validator) or "all" (a list of at least one of these objects)');
  if (depth >= TREE_DEPTH_MAX) return problem(`nests deeper than ${TREE_DEPTH_MAX} levels`);
  for (const [index, child] of all.slice(0, TREE_LEAVES_MAX + 1).entries())
    visit(child, join(join(path, "all"), index), check, depth + 1);
}

function leaf(use: unknown, options: unknown, path: string, problem: (message: string, at?: string) => void): void {
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
