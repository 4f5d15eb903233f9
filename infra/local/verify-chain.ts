/** `npm run verify:chain [-- <number>:<hash>]`: computes the sealed blocks of the books again. */
import { runOnDatabase } from "./on-database.ts";

await runOnDatabase("packages/ledger/src/verify-chain-main.ts");
