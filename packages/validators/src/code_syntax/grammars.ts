/** What is particular to each language that is read by a grammar of tree-sitter: names of the grammar's nodes. */
import type { Node } from "web-tree-sitter";
import type { SyntaxProblem } from "./code.ts";
import { refusedInPython } from "./python.ts";

export type GrammarName = "python" | "go" | "rust" | "java";

export interface Grammar {
  /** What may stand at the top of a file; null: whatever the grammar reads there. */
  readonly topLevel: RegExp | null;
  /** Of what stands there, what makes a file more than a text that happens to parse. */
  readonly declarations: RegExp;
  /** Functions and methods: they count once they have a body. */
  readonly functions: RegExp;
  /** Classes, and what else has a name that can be ordered. */
  readonly types: RegExp;
  /** What may have functions or types inside: their names come below its own, if it has one. */
  readonly containers: RegExp;
  /** Around a declaration without adding anything to its name. */
  readonly wrappers: RegExp;
  /** Between the name of a type and the name of its method. */
  readonly separator: string;
  /** A method is also known by its name alone, because the language writes no functions outside of types. */
  readonly bareMethods: boolean;
  /** What the grammar reads and the language refuses. */
  readonly refused: (root: Node) => readonly SyntaxProblem[];
}

const NOTHING = /^$/;

export const grammars: Readonly<Record<GrammarName, Grammar>> = {
  python: {
    topLevel: null,
    declarations: /^(?:\w+_definition|assignment|type_alias_statement)$/,
    functions: /^function_definition$/,
    types: /^class_definition$/,
    containers: /^class_definition$/,
    wrappers: /^decorated_definition$/,
    separator: ".",
    bareMethods: false,
    refused: refusedInPython,
  },
  go: {
    topLevel: /^(?:package_clause|import_declaration|(?:function|method|type|var|const)_declaration|comment)$/,
    declarations: /^(?:function|method|type|var|const)_declaration$/,
    functions: /^(?:function|method)_declaration$/,
    types: /^type_(?:spec|alias)$/,
    containers: NOTHING,
    wrappers: /^type_declaration$/,
    separator: ".",
    bareMethods: false,
    refused: () => [],
  },
  rust: {
    topLevel: /^(?:\w+_(?:item|comment)|(?:use|extern_crate)_declaration|macro_(?:definition|invocation)|shebang)$/,
    declarations: /^(?:(?:const|enum|function|impl|mod|static|struct|trait|type|union)_item|macro_definition)$/,
    functions: /^function_item$/,
    types: /^(?:struct|enum|trait|union|type)_item$/,
    containers: /^(?:impl|trait|mod)_item$/,
    wrappers: NOTHING,
    separator: "::",
    bareMethods: false,
    refused: () => [],
  },
  java: {
    topLevel: /^\w+_(?:declaration|comment)$/,
    declarations: /^(?:annotation_type|class|enum|interface|local_variable|method|record)_declaration$/,
    functions: /^method_declaration$/,
    types: /^(?:class|interface|enum|record|annotation_type)_declaration$/,
    containers: /^(?:class|interface|enum|record)_declaration$/,
    wrappers: /^enum_body_declarations$/,
    separator: ".",
    bareMethods: true,
    refused: () => [],
  },
};
