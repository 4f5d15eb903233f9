/** How a statement looks, on a screen and on paper. Constant, because the page's policy names its hash. */
export const STYLE = `
:root { --ink: #16202b; --soft: #5b6775; --line: #d8dee5; --wash: #f5f7f9; --accent: #1f4e79; }
* { box-sizing: border-box; }
html { background: #e9edf1; }
body {
  margin: 24px auto; padding: 44px 52px 40px; max-width: 210mm; background: #fff; color: var(--ink);
  font: 13px/1.45 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif;
  box-shadow: 0 1px 4px rgba(22, 32, 43, .18); font-variant-numeric: tabular-nums lining-nums;
}
header { display: flex; justify-content: space-between; align-items: flex-start; padding-bottom: 16px; border-bottom: 2px solid var(--accent); }
.operator { font-size: 17px; font-weight: 700; letter-spacing: .01em; }
.title { text-align: right; }
h1 { margin: 0; font-size: 24px; font-weight: 300; letter-spacing: .02em; color: var(--accent); }
.title p { margin: 2px 0 0; color: var(--soft); }
.title .number { color: var(--ink); font-weight: 600; }
h2 { margin: 32px 0 8px; font-size: 11px; font-weight: 700; letter-spacing: .09em; text-transform: uppercase; color: var(--accent); }
.facts { display: flex; gap: 40px; justify-content: space-between; margin: 24px 0 4px; }
.facts dl { margin: 0; display: grid; grid-template-columns: max-content auto; gap: 3px 16px; align-content: start; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts .customer { font-weight: 600; }
.due { min-width: 210px; padding: 14px 18px; background: var(--wash); border-left: 3px solid var(--accent); text-align: right; }
.due span { display: block; color: var(--soft); font-size: 12px; }
.due strong { display: block; margin-top: 2px; font-size: 25px; font-weight: 600; white-space: nowrap; }
.due .still { margin-top: 4px; color: var(--ink); }
.notice { margin: 20px 0 0; padding: 10px 14px; border: 1px solid #e2cf9a; background: #fdf8e8; color: #5d4a12; }
table { width: 100%; border-collapse: collapse; }
th { padding: 6px 8px; border-bottom: 1px solid var(--ink); font-size: 11px; font-weight: 600; text-align: left; color: var(--soft); vertical-align: bottom; }
td { padding: 5px 8px; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; }
.n i { visibility: hidden; font-style: normal; }
tfoot td { border-bottom: 0; border-top: 1px solid var(--ink); font-weight: 600; }
.sums { width: 62%; margin-left: auto; }
.sums td { border-bottom: 1px solid var(--line); }
.sums .total td { border-top: 1px solid var(--ink); border-bottom: 0; font-weight: 600; }
.sums .result td { border-top: 2px solid var(--ink); border-bottom: 3px double var(--ink); font-weight: 700; padding-top: 8px; padding-bottom: 8px; }
.sums small { display: block; color: var(--soft); font-weight: 400; }
.note { margin: 10px 0 0; color: var(--soft); font-size: 12px; }
.lines { font-size: 11px; line-height: 1.4; }
.lines td { padding-top: 4px; padding-bottom: 4px; }
.lines .running th { border-bottom: 0; padding-bottom: 0; font-weight: 400; }
.lines .key { overflow-wrap: anywhere; min-width: 88px; }
.lines .id { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 9.5px; color: var(--soft); overflow-wrap: anywhere; }
.lines .when { white-space: nowrap; }
.lines .free td { color: var(--soft); background: #fafbfc; }
.lines .credit td { background: var(--wash); }
.tag { color: var(--soft); }
footer { margin-top: 28px; padding-top: 10px; border-top: 1px solid var(--line); color: var(--soft); font-size: 11px; overflow-wrap: anywhere; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .94em; }
@media (max-width: 700px) {
  body { margin: 0; padding: 20px; }
  .facts { flex-direction: column; gap: 16px; }
  .sums { width: 100%; }
  .scroll { overflow-x: auto; }
}
@page { size: A4; margin: 16mm 15mm 18mm; @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9px Helvetica, Arial, sans-serif; color: #5b6775; } }
@media print {
  html { background: none; }
  body { margin: 0; padding: 0; max-width: none; box-shadow: none; font-size: 11.5px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .lines { font-size: 9.5px; }
  .lines .id { font-size: 8px; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  tr, .due, .notice { break-inside: avoid; }
  h2 { break-after: avoid; }
  h2.detail { break-before: page; margin-top: 0; }
  .sums { break-inside: avoid; }
}
`;
