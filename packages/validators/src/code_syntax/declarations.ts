/** What a parsed module declares at its top level. */
import type { BindingPattern, Class, Expression, Program, Statement } from "oxc-parser";

type Declared = NonNullable<Extract<Statement, { type: "ExportNamedDeclaration" }>["declaration"]>;

/** Whether there is any declaration: a file of expressions (a quoted answer, a sentence that happens to parse) has none. */
export function hasDeclaration(program: Program): boolean {
  return program.body.some((statement) => {
    switch (statement.type) {
      case "ExportDefaultDeclaration":
      case "FunctionDeclaration":
      case "ClassDeclaration":
      case "VariableDeclaration":
      case "TSTypeAliasDeclaration":
      case "TSInterfaceDeclaration":
      case "TSEnumDeclaration":
      case "TSModuleDeclaration":
        return true;
      case "ExportNamedDeclaration":
        return statement.declaration !== null;
      default:
        return false;
    }
  });
}

/** Names of top-level functions and classes, also under the names that they are exported by; methods as `Class.method`. */
export function declaredNames(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of program.body) {
    if (statement.type === "ExportNamedDeclaration" && statement.declaration !== null)
      addFunctions(statement.declaration, names);
    else if (statement.type === "ExportDefaultDeclaration") {
      const { declaration } = statement;
      if (declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration")
        addFunctions(declaration, names);
    } else if (isDeclaration(statement)) addFunctions(statement, names);
  }
  addAliases(program, names);
  return names;
}

function addFunctions(declaration: Declared, names: Set<string>): void {
  // A signature without a body (an overload, `declare function`) is no function.
  if (declaration.type === "FunctionDeclaration" && declaration.body !== null && declaration.id !== null)
    names.add(declaration.id.name);
  if (declaration.type === "ClassDeclaration") addClass(declaration, names);
  if (declaration.type !== "VariableDeclaration") return;
  for (const { id, init } of declaration.declarations) {
    const name = nameOf(id);
    if (name !== null && init !== null && mayBeFunction(init)) names.add(name);
  }
}

function addClass({ id, body }: Class, names: Set<string>): void {
  if (id === null) return;
  names.add(id.name);
  for (const member of body.body)
    if (member.type === "MethodDefinition" && member.key.type === "Identifier" && !member.computed)
      names.add(`${id.name}.${member.key.name}`);
}

/** `export { inner as outer }`: the outer name is declared too. */
function addAliases(program: Program, names: Set<string>): void {
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration" || statement.source !== null) continue;
    for (const { local, exported } of statement.specifiers)
      if (local.type === "Identifier" && exported.type === "Identifier" && names.has(local.name))
        names.add(exported.name);
  }
}

function isDeclaration(statement: Statement): statement is Statement & Declared {
  return /^(?:Function|Class|Variable)Declaration$/.test(statement.type);
}

function nameOf(id: BindingPattern): string | null {
  return id.type === "Identifier" ? id.name : null;
}

/** A function or class, or something that may give one (`memoize(…)`); a plain value is none. */
function mayBeFunction(init: Expression): boolean {
  let value = init;
  // No recursion: an answer may write as many brackets around it as the code may have tokens.
  while (isAround(value)) value = value.expression;
  switch (value.type) {
    case "ArrowFunctionExpression":
    case "ClassExpression":
    case "FunctionExpression":
    case "CallExpression":
    case "Identifier":
    case "MemberExpression":
      return true;
    default:
      return false;
  }
}

function isAround(value: Expression): value is Expression & { expression: Expression } {
  switch (value.type) {
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
      return true;
    default:
      return false;
  }
}
