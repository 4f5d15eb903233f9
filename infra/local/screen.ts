/** What the start command writes: steps with their time, a progress bar, tables. Plain lines where there is no terminal. */
import { styleText } from "node:util";

export interface Screen {
  line(text?: string): void;
  heading(text: string): void;
  /** Something was repaired, or is not as usual. */
  note(text: string): void;
  /** Runs a step and says how long it took and what came of it. */
  step<T>(name: string, work: () => Promise<T>, outcome: (value: T) => string): Promise<T>;
  progress(total: number): Progress;
  /** Columns as wide as their widest cell; all but the first are aligned to the right. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void;
}

export interface Progress {
  update(done: number, detail: string): void;
  end(): void;
}

const CLEAR_LINE = "\r\u001b[K";
const NAME_WIDTH = 11;
const BAR_WIDTH = 32;
/** Without a terminal a line is written each time this share of the work is done. */
const PLAIN_STEPS = 4;

export function openScreen(stream: NodeJS.WriteStream): Screen {
  // A reader that has seen enough (`npm start | head`) is no reason to leave processes behind.
  stream.on("error", () => undefined);
  const write = (text: string): void => void stream.write(text);
  const style = (format: "bold" | "dim" | "yellow", text: string): string => styleText(format, text, { stream });
  const screen: Screen = {
    line: (text = "") => write(`${text}\n`),
    heading: (text) => write(`\n${style("bold", text)}\n`),
    // It may come while a bar is drawn, which then goes on below.
    note: (text) => write(`${stream.isTTY ? CLEAR_LINE : ""}${style("yellow", "note")}  ${text}\n`),
    async step(name, work, outcome) {
      const startedMs = performance.now();
      const value = await work();
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      write(`  ${name.padEnd(NAME_WIDTH)} ${outcome(value)} ${style("dim", `${seconds} s`)}\n`);
      return value;
    },
    progress: (total) => (stream.isTTY ? bar(write, total) : plainProgress(write, total)),
    table(header, ragged) {
      const rows = alignedDecimals(ragged);
      const widths = header.map((cell, column) =>
        Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
      );
      const text = (row: readonly string[]): string =>
        row
          .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
          .join("  ");
      write(`${style("dim", text(header))}\n`);
      for (const row of rows) write(`${text(row)}\n`);
    },
  };
  return screen;
}

/** Amounts are exact and so of any length: within a column they get equally many decimals. */
function alignedDecimals(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const decimalsOf = (cell: string | undefined): number => /^-?\d+\.(\d+)$/.exec(cell ?? "")?.[1]?.length ?? 0;
  return rows.map((row) =>
    row.map((cell, column) => {
      const missing = Math.max(...rows.map((other) => decimalsOf(other[column]))) - decimalsOf(cell);
      return decimalsOf(cell) === 0 ? cell : cell + "0".repeat(missing);
    }),
  );
}

function bar(write: (text: string) => void, total: number): Progress {
  return {
    update(done, detail) {
      const filled = Math.round((done / Math.max(1, total)) * BAR_WIDTH);
      write(`${CLEAR_LINE}  [${"#".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}] ${done}/${total}  ${detail}`);
    },
    end: () => write("\n"),
  };
}

function plainProgress(write: (text: string) => void, total: number): Progress {
  let written = 0;
  return {
    update(done, detail) {
      const step = Math.floor((done / Math.max(1, total)) * PLAIN_STEPS);
      if (step <= written) return;
      written = step;
      write(`  ${done}/${total}  ${detail}\n`);
    },
    end: () => undefined,
  };
}
