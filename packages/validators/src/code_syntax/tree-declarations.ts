/** What a file declares, found in the tree of a grammar. */
import type { Node } from "web-tree-sitter";
import type { Grammar } from "./grammars.ts";

/** How deeply types may lie in each other for their members to be found. */
const LEVELS_MAX = 16;

interface Open {
  readonly nodes: readonly Node[];
  /** What the names begin with. */
  readonly prefix: string;
  readonly level: number;
}

/** The names of functions, types, and methods below their types; not what is declared inside of functions. */
export function declaredNamesIn(root: Node, grammar: Grammar): ReadonlySet<string> {
  const names = new Set<string>();
  const open: Open[] = [{ nodes: root.namedChildren, prefix: "", level: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { prefix, level } = next;
    for (const node of next.nodes) {
      const { type } = node;
      if (grammar.wrappers.test(type)) {
        if (level < LEVELS_MAX) open.push({ nodes: node.namedChildren, prefix, level: level + 1 });
        continue;
      }
      const own = ownName(node);
      const name = own === null ? null : `${prefix}${receiverOf(node, grammar)}${own}`;
      if (name !== null && isDeclared(node, grammar)) names.add(name);
      if (own !== null && grammar.bareMethods && isDeclared(node, grammar)) names.add(own);
      const body = grammar.containers.test(type) ? node.childForFieldName("body") : null;
      if (body === null || level >= LEVELS_MAX) continue;
      open.push({ nodes: body.namedChildren, prefix: `${name ?? ""}${grammar.separator}`, level: level + 1 });
    }
  }
  return names;
}

/** What a statement is about: an assignment, say, or a macro's call. */
export function statementType(node: Node): string {
  return (node.type === "expression_statement" ? node.namedChild(0) : null)?.type ?? node.type;
}

function isDeclared(node: Node, grammar: Grammar): boolean {
  // A signature without a body is no function: a trait's or an interface's, or one that is defined elsewhere.
  if (grammar.functions.test(node.type)) return node.childForFieldName("body") !== null;
  return grammar.types.test(node.type) || isFunctionValue(node);
}

/** Its name; of Rust's `impl`, the name of the type that it is for. */
function ownName(node: Node): string | null {
  const named = node.childForFieldName("name") ?? assigned(node)?.childForFieldName("left") ?? null;
  if (named !== null) return named.type.endsWith("identifier") ? named.text : null;
  return node.type === "impl_item" ? plainType(node.childForFieldName("type")) : null;
}

/** Go writes a method outside of its type: `func (s *Stack) Push()`. */
function receiverOf(node: Node, { separator }: Grammar): string {
  const receiver = node.childForFieldName("receiver")?.namedChild(0) ?? null;
  if (receiver === null) return "";
  return `${plainType(receiver.childForFieldName("type")) ?? ""}${separator}`;
}

/** The name of a type without `*`, `&` and type parameters. */
function plainType(type: Node | null): string | null {
  let node = type;
  while (node !== null && !node.type.endsWith("type_identifier"))
    node = node.childForFieldName("type") ?? node.childForFieldName("name") ?? node.namedChild(0);
  return node?.text ?? null;
}

/** Python's `name = lambda …`, and `name = decorate(…)`, which may give one; a plain value is none. */
function isFunctionValue(node: Node): boolean {
  const value = assigned(node)?.childForFieldName("right")?.type ?? "";
  return /^(?:lambda|call|identifier|attribute)$/.test(value);
}

function assigned(node: Node): Node | null {
  return statementType(node) === "assignment" ? node.namedChild(0) : null;
}
