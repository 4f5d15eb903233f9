/** A link between a process and a server that a test can break: a TCP proxy on a port of its own. */
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface TcpLink {
  readonly port: number;
  /** The same URL, through the link. */
  through(url: string): string;
  /** Resets every connection and refuses new ones, as when the server is killed. */
  cut(): Promise<void>;
  /** Resets every connection; new ones are served. */
  reset(): void;
  /** Accepts connections and swallows what is sent, as when a network loses everything. */
  blackHole(): void;
  /** What clients send arrives, and nothing comes back: half of every connection is dead, and nobody is told. */
  deafen(): void;
  /** Everything arrives this much later, each way and in its order. */
  slow(ms: number): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

type Direction = "up" | "down";

export async function startTcpLink(target: { readonly host: string; readonly port: number }): Promise<TcpLink> {
  const sockets = new Set<net.Socket>();
  /** Directions whose bytes are lost. */
  let swallowed: ReadonlySet<Direction> = new Set();
  let latencyMs = 0;
  const server = net.createServer((inbound) => {
    const outbound = net.connect(target);
    join(inbound, outbound, "up");
    join(outbound, inbound, "down");
  });

  const join = (from: net.Socket, to: net.Socket, direction: Direction): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => undefined);
    /** What was sent before. Latencies change; the order does not. */
    let sent = Promise.resolve();
    const inOrder = (act: () => void): void => {
      const arrived = latencyMs === 0 ? undefined : delay(latencyMs);
      sent = sent.then(() => arrived).then(act);
    };
    from.on("data", (chunk) => {
      if (!swallowed.has(direction)) inOrder(() => to.write(chunk));
    });
    from.on("close", () => {
      sockets.delete(from);
      if (swallowed.size === 0) inOrder(() => to.destroySoon());
    });
  };
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const cut = async (): Promise<void> => {
    swallowed = new Set();
    latencyMs = 0;
    reset();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };

  await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    through(url) {
      const changed = new URL(url);
      changed.hostname = "127.0.0.1";
      changed.port = String(port);
      return changed.href;
    },
    cut,
    reset,
    blackHole() {
      swallowed = new Set(["up", "down"]);
    },
    deafen() {
      swallowed = new Set(["down"]);
    },
    slow(ms) {
      latencyMs = ms;
    },
    async restore() {
      // Connections that lost bytes are of no use to anybody.
      if (swallowed.size > 0) reset();
      swallowed = new Set();
      latencyMs = 0;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
