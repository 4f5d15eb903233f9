/**
 * Python, Go, Rust and Java, by the grammars of tree-sitter. They are WebAssembly, and their parser keeps its stack on
 * the heap: code of any nesting is read. A tree that nests 90,000 levels took 0.3 s.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Language, Node, Parser, Tree } from "web-tree-sitter";
import { type ParsedCode, PROBLEMS_MAX, type SyntaxProblem } from "./code.ts";
import { type Grammar, grammars, type GrammarName } from "./grammars.ts";
import { declaredNamesIn, statementType } from "./tree-declarations.ts";

const QUOTE_CHARACTERS_MAX = 30;

interface Loaded {
  /** A fresh one for each check: nothing of one answer is left for the next. */
  readonly newParser: () => Parser;
}

/** Each language is loaded when it is first needed, once per process: 25 ms for the first, 5 ms for each other one. */
const loaded = new Map<GrammarName, Promise<Loaded>>();

export async function parseWithGrammar(code: string, name: GrammarName): Promise<ParsedCode> {
  const grammar = grammars[name];
  let loading = loaded.get(name);
  if (loading === undefined) loaded.set(name, (loading = load(name)));
  const parser = (await loading).newParser();
  let tree: Tree | null = null;
  try {
    tree = parser.parse(code);
    if (tree === null) throw new Error(`the grammar of ${name} gave no tree`);
    const problems = problemsOf(tree, grammar);
    if (problems.length > 0) return { problems, declaresAnything: false, names: new Set() };
    const declaresAnything = tree.rootNode.namedChildren.some((node) => grammar.declarations.test(statementType(node)));
    return { problems, declaresAnything, names: declaredNamesIn(tree.rootNode, grammar) };
  } finally {
    // Both lie in the memory of the WebAssembly, which no garbage collector sees.
    tree?.delete();
    parser.delete();
  }
}

async function load(name: GrammarName): Promise<Loaded> {
  const treeSitter = await import("web-tree-sitter");
  await treeSitter.Parser.init();
  const file = fileURLToPath(import.meta.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`));
  const language: Language = await treeSitter.Language.load(await readFile(file));
  return { newParser: () => new treeSitter.Parser().setLanguage(language) };
}

function problemsOf(tree: Tree, grammar: Grammar): readonly SyntaxProblem[] {
  const errors = tree.rootNode.hasError ? errorsOf(tree) : [];
  // A grammar also reads what its language refuses; which is only worth telling of what has no errors.
  const refused = errors.length > 0 ? [] : [...misplaced(tree.rootNode, grammar), ...grammar.refused(tree.rootNode)];
  return [...errors, ...refused].slice(0, PROBLEMS_MAX);
}

/** What is no part of any construct, and what a construct lacks, from the top. Only branches with errors are entered. */
function errorsOf(tree: Tree): readonly SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const cursor = tree.walk();
  try {
    while (problems.length < PROBLEMS_MAX) {
      const node = cursor.currentNode;
      if (node.isError) problems.push(at(node, `unexpected ${quoted(node.text)}`));
      else if (node.isMissing) problems.push(at(node, `missing ${nameOf(node)}`));
      if (node.hasError && !node.isError && cursor.gotoFirstChild()) continue;
      let more = cursor.gotoNextSibling();
      while (!more && cursor.gotoParent()) more = cursor.gotoNextSibling();
      if (!more) break;
    }
  } finally {
    cursor.delete();
  }
  return problems;
}

/** The grammars allow statements everywhere; not every language does. */
function misplaced(root: Node, { topLevel }: Grammar): readonly SyntaxProblem[] {
  if (topLevel === null) return [];
  return root.namedChildren
    .filter((node) => !topLevel.test(statementType(node)))
    .map((node) => at(node, `${quoted(node.text)} cannot stand at the top level`));
}

function at(node: Node, message: string): SyntaxProblem {
  const { row, column } = node.startPosition;
  return { position: { line: row + 1, column: column + 1 }, message };
}

/** Grammars name the end of a line in ways of their own. */
function nameOf(node: Node): string {
  return node.isNamed || /^\W+$/.test(node.type) ? `"${node.type}"` : "the end of the line";
}

function quoted(text: string): string {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return line.length > QUOTE_CHARACTERS_MAX ? `"${line.slice(0, QUOTE_CHARACTERS_MAX)}…"` : `"${line}"`;
}
