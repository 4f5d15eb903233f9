/** What a parser says of code, whichever parser it was. */

/** A place where the code is not of its language. */
export interface SyntaxProblem {
  /** Counted from 1, in UTF-16 code units; null: the parser did not say where. */
  readonly position: { readonly line: number; readonly column: number } | null;
  readonly message: string;
}

export interface ParsedCode {
  /** None: it parses. */
  readonly problems: readonly SyntaxProblem[];
  /** Whether it declares anything at its top level: a sentence that happens to parse declares nothing. */
  readonly declaresAnything: boolean;
  /** The functions, classes and methods that it declares, under every name that they may be ordered by. */
  readonly names: ReadonlySet<string>;
}

/** Problems that are told; the first is the one that matters. */
export const PROBLEMS_MAX = 10;
