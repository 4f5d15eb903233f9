/** Writes docs/errors.md: `node packages/contracts/src/http/error-reference-main.ts`. */
import { writeFile } from "node:fs/promises";
import { renderErrorReference } from "./error-reference.ts";

await writeFile(new URL("../../../../docs/errors.md", import.meta.url), renderErrorReference());
