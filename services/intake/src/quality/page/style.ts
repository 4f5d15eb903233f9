/** How quality looks, beyond what it has in common with a statement. Constant, because the page's policy names its hash. */
import { STYLE as COMMON } from "../../statements/page/style.ts";

export const STYLE = `${COMMON}
h3 { margin: 22px 0 6px; font-size: 14px; font-weight: 600; }
svg { display: block; max-width: 100%; height: auto; margin: 6px 0 12px; font: 11px Helvetica, Arial, sans-serif; }
.grid { stroke: #e6eaef; }
.tick, .axis, .none { fill: #5b6775; }
.name { fill: #16202b; font-size: 12px; }
.ideal { stroke: #9aa5b1; stroke-dasharray: 4 4; }
.bin { fill: #1f4e79; fill-opacity: .28; stroke: #1f4e79; }
.calibrated { fill: none; stroke: #b4531a; stroke-width: 2; }
.interval { stroke: #1f4e79; stroke-width: 5; stroke-opacity: .35; stroke-linecap: round; }
.point { fill: #1f4e79; }
.limit { stroke: #a12626; stroke-width: 2; }
.beside { display: flex; gap: 32px; align-items: flex-start; flex-wrap: wrap; }
.beside table { width: auto; min-width: 260px; flex: 1; }
.bad { color: #a12626; font-weight: 600; }
`;
