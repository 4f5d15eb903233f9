/** What the API has told its client, kept by the client: nothing that is broken can take it back. */
import type { ApiClient } from "@contingent/embedded/api-client";

export class ClientRecord {
  readonly #acknowledged = new Set<string>();

  /** Every job that was acknowledged, by its id. */
  acknowledged(): readonly string[] {
    return [...this.#acknowledged];
  }

  /** The same client; what it is told of its jobs is written down. */
  recording(api: ApiClient): ApiClient {
    return {
      ...api,
      submit: async (job, headers) => {
        const accepted = await api.submit(job, headers);
        this.note(accepted);
        return accepted;
      },
      send: async (request) => {
        const answer = await api.send(request);
        if (request.method === "POST" && request.path === "/v1/jobs" && answer.status < 300) this.note(answer.body);
        return answer;
      },
      as: (key) => this.recording(api.as(key)),
    };
  }

  /** Writes an acceptance down, as it stands in the answer. */
  note(body: unknown): void {
    if (typeof body !== "object" || body === null || !("id" in body) || typeof body.id !== "string") {
      throw new TypeError("a job was accepted and not named");
    }
    this.#acknowledged.add(body.id);
  }
}
