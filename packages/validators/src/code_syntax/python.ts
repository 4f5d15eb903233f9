/** What the grammar of Python reads and Python refuses. */
import type { Node } from "web-tree-sitter";
import type { SyntaxProblem } from "./code.ts";

/** Statements of Python 2, blocks without a statement, and lines that are indented unlike the others of their block. */
export function refusedInPython(root: Node): readonly SyntaxProblem[] {
  const nodes = root.descendantsOfType(["module", "block", "print_statement", "exec_statement"]);
  return nodes.flatMap((node) => {
    if (node.type === "module") return misindented(node, 0);
    if (node.type !== "block") return [problemAt(node, "this is Python 2: a function needs brackets")];
    const first = node.namedChildren.find(({ type }) => type !== "comment");
    if (first === undefined) return [problemAt(node, "expected an indented block")];
    return misindented(node, first.startPosition.column);
  });
}

function misindented(block: Node, column: number): readonly SyntaxProblem[] {
  let row = -1;
  return block.namedChildren.flatMap((node) => {
    const sameLine = node.startPosition.row === row;
    row = node.endPosition.row;
    if (sameLine || node.type === "comment" || node.startPosition.column === column) return [];
    return [problemAt(node, "the indentation does not match the lines before")];
  });
}

function problemAt(node: Node, message: string): SyntaxProblem {
  const { row, column } = node.startPosition;
  return { position: { line: row + 1, column: column + 1 }, message };
}
