import { ERROR_CODES, ERRORS } from "./errors.ts";

/** docs/errors.md, as it must be for this list. */
export function renderErrorReference(): string {
  const sections = ERROR_CODES.map((code) => {
    const { type, status, meaning, remedy } = ERRORS[code];
    return `## ${code}\n\n${status} · \`${type}\`\n\n${meaning}\n\n**What to do:** ${remedy}\n`;
  });
  return [
    "# Errors\n",
    "Every error has the same form; `code` is one of the following and never changes its meaning.\n",
    '```json\n{"error": {"type": "…", "code": "…", "message": "…", "param": null, "doc_url": "…", "request_id": "req_…"}}\n```\n',
    "`param` names the field at fault: a JSON pointer into the body (`/input/document`), or a parameter's or header's name.",
    "Where a request may have several mistakes, `problems` lists all of them. Repeating a request is safe with an",
    "`Idempotency-Key` or an `outcome_key`.\n",
    ...sections,
  ].join("\n");
}
