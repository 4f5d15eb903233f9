/** The leaves of a validator tree: where each one is, and in which order they have their say. */
import { type Nanos, sum } from "@contingent/core/money";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { TREE_DEPTH_MAX, TREE_LEAVES_MAX } from "./bounds.ts";
import { join } from "./pointer.ts";
import type { RegisteredInquiry } from "./inquiry.ts";
import { type RegisteredValidator, validatorNamed } from "./registry.ts";
import { type RegisteredCheck, ValidatorError } from "./validator.ts";

/** A leaf in its place. */
export interface PlacedLeaf<V extends RegisteredValidator = RegisteredCheck | RegisteredInquiry> {
  /** JSON pointer into the tree. */
  readonly path: string;
  readonly validator: V;
  readonly options: unknown;
}

/** A member of an inner node. */
export interface Member {
  readonly path: string;
  readonly node: ValidatorNode;
}

/** The cheapest first: what is computed here, what needs a process, what is paid for, what takes days. */
const ORDER = ["inline", "sandbox", "model", "service", "person"] as const;

/**
 * Every leaf, the cheapest first; leaves that cost the same keep the order of the tree.
 * @throws ValidatorError when the tree is too large, or names what is not there
 */
export function leavesOf(tree: ValidatorNode): readonly PlacedLeaf[] {
  const found: PlacedLeaf[] = [];
  collect({ path: "", node: tree }, found, 1);
  return found.toSorted((a, b) => rankOf(a.validator) - rankOf(b.validator));
}

/** The leaves that ask somebody. */
export function inquiriesIn(tree: ValidatorNode): readonly PlacedLeaf<RegisteredInquiry>[] {
  return leavesOf(tree).filter((leaf): leaf is PlacedLeaf<RegisteredInquiry> => leaf.validator.kind === "inquiry");
}

/** What the inquiries of a tree may cost for one answer, all together. */
export function inquiryReserveOf(tree: ValidatorNode): Nanos {
  return sum(inquiriesIn(tree).map(({ validator, options }) => validator.costMax(options)));
}

function rankOf(validator: RegisteredValidator): number {
  return ORDER.indexOf(validator.kind === "check" ? validator.place : validator.asked);
}

/** The members of an inner node, each with its place in the tree; none for a leaf. */
export function membersOf({ path, node }: Member): readonly Member[] {
  if ("use" in node) return [];
  if ("not" in node) return [{ path: join(path, "not"), node: node.not }];
  if ("weighted" in node) return node.weighted.map(({ of }, i) => ({ path: `${path}/weighted/${i}/of`, node: of }));
  const [kind, nodes] = "all" in node ? (["all", node.all] as const) : (["any", node.any] as const);
  return nodes.map((member, i) => ({ path: `${path}/${kind}/${i}`, node: member }));
}

function collect(at: Member, found: PlacedLeaf[], depth: number): void {
  if (depth > TREE_DEPTH_MAX) throw new ValidatorError(`the validator tree is deeper than ${TREE_DEPTH_MAX} levels`);
  const { path, node } = at;
  if (!("use" in node)) {
    const members = membersOf(at);
    if (members.length === 0)
      throw new ValidatorError("a validator tree has a node without members, which would pass everything");
    for (const member of members) collect(member, found, depth + 1);
    return;
  }
  const validator = validatorNamed(node.use);
  if (validator === null) throw new ValidatorError(`there is no validator ${JSON.stringify(node.use)}`);
  found.push({ path, validator, options: node.options });
  if (found.length > TREE_LEAVES_MAX) throw new ValidatorError(`the validator tree has over ${TREE_LEAVES_MAX} leaves`);
}
