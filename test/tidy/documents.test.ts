import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, ROOT } from "./source.ts";

const FOLDERS = ["docs", "packages", "services", "infra", "test"];

/** Every document of the repository, from its root. */
function documents(): readonly string[] {
  const atRoot = fs.readdirSync(ROOT).filter((file) => file.endsWith(".md"));
  return [...atRoot, ...FOLDERS.flatMap(filesUnder).filter((file) => file.endsWith(".md"))];
}

/** What a document links to in the repository: where the link stands, and the path from the root that it names. */
function linksOf(document: string): readonly { readonly target: string; readonly file: string }[] {
  const text = fs.readFileSync(path.join(ROOT, document), "utf8");
  return [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)].map(([, target = ""]) => ({
    target,
    file: path.join(ROOT, path.dirname(document), target),
  }));
}

describe("documents say what is there", () => {
  it("every file that is linked to exists, a test that is named as a proof most of all", () => {
    const links = documents().flatMap((document) => linksOf(document).map((link) => ({ document, ...link })));
    expect(links.length).toBeGreaterThan(100);
    const missing = links.filter(({ file }) => !fs.existsSync(file));
    expect(missing.map(({ document, target }) => `${document}: ${target}`)).toEqual([]);
  });
});
