/** A link between a process and a server that a test can break: a TCP proxy on a port of its own. */
import net from "node:net";

export interface TcpLink {
  readonly port: number;
  /** The same URL, through the link. */
  through(url: string): string;
  /** Resets every connection and refuses new ones, as when the server is killed. */
  cut(): Promise<void>;
  /** Accepts connections and swallows what is sent, as when a network loses everything. */
  blackHole(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function startTcpLink(target: { readonly host: string; readonly port: number }): Promise<TcpLink> {
  const sockets = new Set<net.Socket>();
  let swallowing = false;
  const server = net.createServer((inbound) => {
    const outbound = net.connect(target);
    join(inbound, outbound);
    join(outbound, inbound);
  });

  const join = (from: net.Socket, to: net.Socket): void => {
    sockets.add(from);
    from.on("error", () => undefined);
    from.on("data", (chunk) => {
      if (!swallowing) to.write(chunk);
    });
    from.on("close", () => {
      sockets.delete(from);
      if (!swallowing) to.destroy();
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
  const cut = async (): Promise<void> => {
    swallowing = false;
    for (const socket of sockets) socket.resetAndDestroy();
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
    blackHole() {
      swallowing = true;
    },
    async restore() {
      // Connections that lost bytes are of no use to anybody.
      if (swallowing) for (const socket of sockets) socket.resetAndDestroy();
      swallowing = false;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
