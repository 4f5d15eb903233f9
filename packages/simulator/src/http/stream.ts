/** A message as the API streams it: start, pieces of text, delta with the bill, stop. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Reply } from "../reply.ts";
import { deltaUsage } from "../usage.ts";
import type { Exchange } from "./exchange.ts";

const PIECES_MAX = 12;
const PIECE_CHARACTERS_MIN = 48;

/** Where the stream breaks off: after its head, after `message_start`, or in the middle of the text. */
export type Cut = "start" | "half" | null;

/** Sends the reply in pieces over the given time. Returns the share of the text that was sent before the client left or the cut. */
export async function streamReply(exchange: Exchange, reply: Reply, durationMs: number, cut: Cut): Promise<number> {
  const { signal } = exchange.gone;
  exchange.startStream();
  exchange.event({ type: "message_start", message: startOf(reply) });
  exchange.event({ type: "ping" });
  if (cut === "start") return broken(exchange, 0);
  const pieces = piecesOf(reply.text);
  if (pieces.length > 0) {
    exchange.event({
      type: "content_block_start",
      index: 0,
      content_block: { type: "text", text: "", citations: null },
    });
    for (const [i, piece] of pieces.entries()) {
      if (durationMs > 0) await sleep(durationMs / pieces.length, null, { signal }).catch(() => null);
      if (signal.aborted) return i / pieces.length;
      if (cut === "half" && i >= pieces.length / 2) return broken(exchange, i / pieces.length);
      exchange.event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: piece } });
    }
    // A text of one piece has no middle: the cut comes before the block is closed.
    if (cut === "half") return broken(exchange, 1);
    exchange.event({ type: "content_block_stop", index: 0 });
  }
  exchange.event({
    type: "message_delta",
    delta: { container: null, stop_details: reply.stopDetails, stop_reason: reply.stopReason, stop_sequence: null },
    usage: deltaUsage(reply.usage),
  });
  exchange.event({ type: "message_stop" });
  await new Promise<void>((resolve) => {
    exchange.response.end(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return 1;
}

/** The message as it stands at the start: no content, no reason to stop, one token made. */
function startOf(reply: Reply): object {
  return {
    ...reply.message(),
    content: [],
    stop_reason: null,
    stop_details: null,
    usage: { ...reply.usage, output_tokens: Math.min(1, reply.outputTokens) },
  };
}

function piecesOf(text: string): string[] {
  const size = Math.max(PIECE_CHARACTERS_MIN, Math.ceil(text.length / PIECES_MAX));
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces;
}

async function broken(exchange: Exchange, share: number): Promise<number> {
  // What was written must leave the socket before it is destroyed, or the client would see a break without a start.
  await new Promise<void>((resolve) => exchange.response.write(": cut\n\n", () => resolve()));
  exchange.response.destroy();
  return share;
}
