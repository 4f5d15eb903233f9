/** Hazard: books are checked, and found in order, that are not the ones that were meant. */
import path from "node:path";
import { ROOT } from "@contingent/embedded/services";
import { expect, test } from "vitest";
import { askedOf } from "./on-database.ts";

test("the books are those of the start command's folder, and everything else is for the command", () => {
  expect(askedOf(["--incremental"])).toEqual({ folder: path.join(ROOT, ".contingent"), rest: ["--incremental"] });
  expect(askedOf(["--data", "/srv/books", "--incremental"])).toEqual({ folder: "/srv/books", rest: ["--incremental"] });
  expect(askedOf(["17:ab", "--data", "books"])).toEqual({ folder: path.join(ROOT, "books"), rest: ["17:ab"] });
  expect(() => askedOf(["--data"])).toThrow("needs the folder");
});
