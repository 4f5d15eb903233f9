/**
 * Breaks the books on purpose, one thing at a time, in a copy of the repository, and looks who notices: the runs against
 * the reference, or the tests of examples. `node test/property/books/mutants.ts runs|examples [name …]`; the table that it
 * prints stands in README.md. It takes up to half a minute for each, so it is not part of `npm test`.
 */
import path from "node:path";
import { copyOfRepository, type Mutant, type Noticed } from "../../mutation/mutation.ts";
import { MUTANTS } from "./mutant-list.ts";

/** Enough runs that a mutant which only shows now and then is not called dead by luck alone. */
const ENVIRONMENT = { RUNS: "50", FC_SEED: "1", SHRINKING_MS: "0" };
const RUNS_TESTS = ["test/property/books"];
/** Those that look at the same things; not all there are, for each mutant runs all of them. */
const EXAMPLES = [
  ...["books", "job", "pricing", "statement", "money"].map((each) => `packages/core/src/${each}`),
  ...["accept", "charge", "closed", "dispute", "late", "prepaid", "statement"].map((each) => `test/ledger/${each}`),
];

const [kind = "runs", ...chosen] = process.argv.slice(2);
using copy = copyOfRepository();
if (judge("no mutation", null)) throw new Error("the tests fail without a mutation");
const mutants = MUTANTS.filter(({ name }) => chosen.length === 0 || chosen.some((each) => name.includes(each)));
const survivors = mutants.filter((mutant) => !judge(mutant.name, mutant));
process.stdout.write(`\n${mutants.length - survivors.length} of ${mutants.length} mutants were noticed\n`);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** Lets the tests look at a mutant, and prints a line of the table. @returns whether it was noticed */
function judge(name: string, mutant: Mutant | null): boolean {
  const noticed = copy.look(mutant, kind === "examples" ? [...EXAMPLES, "--bail=1"] : RUNS_TESTS, ENVIRONMENT);
  process.stdout.write(`| ${name} | \`${mutant?.file ?? ""}\` | ${noticed === null ? "—" : by(noticed)} |\n`);
  return noticed !== null;
}

function by({ file, title, said }: Noticed): string {
  if (title === "no test ran") return title;
  return kind === "runs" ? inShort(said) : `${path.basename(file)}: ${title}`;
}

/** What the first failing run said: what differs, in one line. */
function inShort(said: string): string {
  const line = /RunFailed: (.+)/.exec(said)?.[1] ?? /invariant \d+: .+/.exec(said)?.[0] ?? said.split("\n")[0] ?? "";
  return line
    .replace(/^\w*[Ee]rror(?: \[\w+\])?: /, "")
    .replaceAll(/\b([a-z]{3})_[0-9a-z]{10,}/g, "$1_…")
    .replaceAll("|", "/")
    .slice(0, 110);
}
