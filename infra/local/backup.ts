/** `npm run backup -- --to <file>`: everything that the database holds at this instant, while the system runs. */
import { runOnDatabase } from "./on-database.ts";

await runOnDatabase("packages/db/src/backup-main.ts");
