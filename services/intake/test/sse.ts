/** Reads a stream of server-sent events, as an EventSource would. */
import type { JobEventBody } from "@contingent/contracts/http/jobs";
import { jobEventSchema } from "@contingent/contracts/http/jobs";
import type { ApiClient } from "@contingent/embedded/api-client";

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: JobEventBody;
}

export interface EventStream {
  readonly response: Response;
  /** Ends when the server ends the stream. */
  readonly events: AsyncGenerator<ReceivedEvent>;
  /** All events until the server ends the stream. */
  all(): Promise<readonly ReceivedEvent[]>;
  hangUp(): void;
}

export async function watch(client: ApiClient, id: string, lastEventId?: string): Promise<EventStream> {
  const leave = new AbortController();
  const response = await fetch(`${client.url}/v1/jobs/${id}/events`, {
    headers: {
      authorization: `Bearer ${client.key}`,
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal: leave.signal,
  });
  const events = eventsOf(response);
  return {
    response,
    events,
    async all() {
      const received: ReceivedEvent[] = [];
      for await (const event of events) received.push(event);
      return received;
    },
    hangUp: () => leave.abort(),
  };
}

async function* eventsOf(response: Response): AsyncGenerator<ReceivedEvent> {
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== null) yield event;
    }
  }
}

function eventOf(block: string): ReceivedEvent | null {
  const fields = new Map(
    block.split("\n").map((line) => [line.split(": ", 1)[0] ?? "", line.slice(line.indexOf(": ") + 2)]),
  );
  const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
  if (id === undefined || event === undefined || data === undefined) return null;
  return { id, event, data: jobEventSchema.strict().parse(JSON.parse(data)) };
}
