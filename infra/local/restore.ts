/** `npm run restore -- --from <file>`: a backup into an empty database, whose books are checked at once. */
import { runOnDatabase } from "./on-database.ts";

await runOnDatabase("packages/db/src/restore-main.ts", {
  makes: true,
  afterwards: ["packages/ledger/src/check-books-main.ts", "packages/ledger/src/verify-chain-main.ts"],
});
