/** The trace of a job, as it was received: all of its spans, as the tree that they must be. */
import { orphans, type OtlpReceiver, type ReceivedSpan } from "@contingent/testkit/otlp-receiver";
import { until } from "@contingent/testkit/until";

/** For whatever has to come through the exporters of other processes. */
export const ARRIVE = { timeout: 20_000, interval: 20 };

export type GetReceiver = () => OtlpReceiver;

/** Waits until the trace of a closed job has arrived in full, and returns it as a tree. */
export async function traceOf(received: GetReceiver, traceId: string): Promise<Tree> {
  return await until(
    () => {
      const spans = received()
        .spans()
        .filter((span) => span.traceId === traceId);
      const settled = spans.some(({ name }) => name === "process settle");
      return settled && orphans(spans).length === 0 && new Tree(spans);
    },
    { timeoutMs: ARRIVE.timeout, intervalMs: ARRIVE.interval, what: `the whole trace ${traceId}` },
  );
}

export class Tree {
  readonly spans: readonly ReceivedSpan[];

  constructor(spans: readonly ReceivedSpan[]) {
    this.spans = spans.toSorted((a, b) => (a.startNs < b.startNs ? -1 : 1));
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  one(name: string): ReceivedSpan {
    const [span, ...more] = this.named(name);
    if (span === undefined || more.length > 0) throw new Error(`there are ${this.named(name).length} spans "${name}"`);
    return span;
  }

  childrenOf(parent: ReceivedSpan): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.parentSpanId === parent.spanId);
  }

  /** Names from the root to the span. */
  pathTo(span: ReceivedSpan): readonly string[] {
    const parent = this.spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent === undefined ? [span.name] : [...this.pathTo(parent), span.name];
  }
}
