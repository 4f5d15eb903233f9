import type { ERRORS, ErrorCode } from "@contingent/contracts/http/errors";

/** Where every error's `doc_url` leads. */
export function errorPage(codes: readonly ErrorCode[], errors: typeof ERRORS): string {
  const sections = codes.map((code) => {
    const { status, type, meaning, remedy } = errors[code];
    return `<section id="${code}"><h2>${code}</h2><p><code>${status}</code> <code>${type}</code></p><p>${markup(meaning)}</p><p><b>What to do:</b> ${markup(remedy)}</p></section>`;
  });
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Errors of the Contingent API</title>
    <style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}h2{font:600 1.1rem ui-monospace,monospace;margin:2rem 0 .2rem}section:target{background:#fff6d6}</style>
  </head>
  <body>
    <h1>Errors</h1>
    <p>Every error has the same form; its <code>code</code> is one of these and never changes its meaning. See also the <a href="/docs">API reference</a>.</p>
    ${sections.join("\n    ")}
  </body>
</html>
`;
}

function markup(text: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return escaped.replace(/`([^`]*)`/g, "<code>$1</code>");
}
