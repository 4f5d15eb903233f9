/**
 * Takes each guard away, one at a time, in a copy of the repository, and looks whether the tests notice:
 * `node test/fault/test-the-tester.ts [name …]`. The table that it prints stands in README.md. Some minutes, so it is not part of
 * `npm test`.
 */
import path from "node:path";
import { copyOfRepository } from "../mutation/mutation.ts";
import { GUARDS } from "./guards.ts";

const TITLE_CHARACTERS_MAX = 110;

const chosen = process.argv.slice(2);
const guards = GUARDS.filter(({ name }) => chosen.length === 0 || chosen.some((each) => name.includes(each)));
using copy = copyOfRepository();
process.stdout.write("| without this guard | in | fails |\n|---|---|---|\n");
let unnoticed = 0;
for (const guard of guards) {
  const noticed = copy.look(guard, [...guard.noticedBy, "--bail=1"]);
  if (noticed === null) unnoticed += 1;
  const by =
    noticed === null
      ? "**nothing**"
      : `${path.basename(noticed.file)}: ${noticed.title.slice(0, TITLE_CHARACTERS_MAX)}`;
  process.stdout.write(`| ${guard.name} | \`${guard.file}\` | ${by.replaceAll("|", "/")} |\n`);
}
process.stdout.write(`\n${guards.length - unnoticed} of ${guards.length} were noticed\n`);
process.exitCode = unnoticed === 0 ? 0 : 1;
