/** The models that the simulator pretends to be: their limits, how able they are and how fast. */

export interface SimulatedModel {
  readonly id: string;
  readonly displayName: string;
  readonly line: "haiku" | "sonnet" | "opus" | "fable";
  readonly releasedAt: string;
  readonly inputTokensMax: number;
  readonly outputTokensMax: number;
  /** From 0 to 1: the difficulty at which half of the answers are right. */
  readonly skill: number;
  /** Share of the simulator's latency that this model takes. */
  readonly pace: number;
  /** Whether `tool_choice` may force a tool. The newest models refuse that. */
  readonly forcedToolChoice: boolean;
}

export const MODELS: readonly SimulatedModel[] = [
  model("claude-haiku-5-5", "Claude Haiku 5.5", "haiku", "2026-10-07", { skill: 0.38, pace: 0.4 }),
  model("claude-sonnet-5-5", "Claude Sonnet 5.5", "sonnet", "2026-09-28", { skill: 0.56, pace: 1, forced: false }),
  model("claude-opus-5-5", "Claude Opus 5.5", "opus", "2026-09-22", { skill: 0.76, pace: 1.6, forced: false }),
  model("claude-fable-5-1", "Claude Fable 5.1", "fable", "2026-09-01", { skill: 0.84, pace: 2 }),
  model("claude-haiku-4-5", "Claude Haiku 4.5", "haiku", "2025-10-01", { skill: 0.32, pace: 0.5, input: 200_000 }),
  model("claude-sonnet-5", "Claude Sonnet 5", "sonnet", "2026-06-30", { skill: 0.52, pace: 1.1 }),
  model("claude-opus-5", "Claude Opus 5", "opus", "2026-07-24", { skill: 0.72, pace: 1.8 }),
];

const BY_ID: ReadonlyMap<string, SimulatedModel> = new Map(MODELS.map((m) => [m.id, m]));

/** The model with exactly this id, or null: as at the real API, a prefix is not a model. */
export function findModel(id: string): SimulatedModel | null {
  return BY_ID.get(id) ?? null;
}

function model(
  id: string,
  displayName: string,
  line: SimulatedModel["line"],
  releasedOn: string,
  traits: { skill: number; pace: number; forced?: boolean; input?: number },
): SimulatedModel {
  return {
    id,
    displayName,
    line,
    releasedAt: `${releasedOn}T00:00:00Z`,
    inputTokensMax: traits.input ?? 1_000_000,
    outputTokensMax: 64_000,
    skill: traits.skill,
    pace: traits.pace,
    forcedToolChoice: traits.forced ?? true,
  };
}

/** The model as `GET /v1/models` shows it. */
export function modelInfo(m: SimulatedModel): object {
  const yes = { supported: true };
  const no = { supported: false };
  return {
    type: "model",
    id: m.id,
    display_name: m.displayName,
    created_at: m.releasedAt,
    lifecycle: "active",
    deprecated_at: null,
    retires_at: null,
    line: m.line,
    max_input_tokens: m.inputTokensMax,
    max_tokens: m.outputTokensMax,
    capabilities: {
      batch: no,
      citations: no,
      code_execution: no,
      context_management: {
        supported: false,
        clear_thinking_20251015: null,
        clear_tool_uses_20250919: null,
        compact_20260112: null,
      },
      effort: { supported: false, low: no, medium: no, high: no, max: no, xhigh: null },
      image_input: no,
      pdf_input: no,
      server_tools: { supported: false, code_execution: no, web_search: no },
      structured_outputs: yes,
      thinking: { supported: false, types: { adaptive: no, between_tools: no, disabled: yes, enabled: no } },
    },
  };
}
