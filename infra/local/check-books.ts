/** `npm run check:books`: runs every invariant of the books. */
import { runOnDatabase } from "./on-database.ts";

await runOnDatabase("packages/ledger/src/check-books-main.ts");
