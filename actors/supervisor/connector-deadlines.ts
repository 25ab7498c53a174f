// How long each call of a connector may take before it counts as stuck. Part of what a pipeline is opened with.

export interface ConnectorDeadlines {
  readonly configureMs: number;
  /** onCreated, onUpdated, onDeleted. */
  readonly eventMs: number;
  readonly openMs: number;
  /** A source: until it has given what it had. A destination: until it has answered for everything. */
  readonly stopMs: number;
  readonly teardownMs: number;
  /** A connector that was not heard of for so long is shown as stalled or, while it reads, as quiet. Nothing else follows from it. */
  readonly stallMs: number;
}

/** The SDK of standalone connectors gives its own calls up to a minute. */
export const defaultDeadlines: ConnectorDeadlines = {
  configureMs: 60_000,
  eventMs: 60_000,
  openMs: 120_000,
  stopMs: 65_000,
  teardownMs: 65_000,
  stallMs: 30_000,
};
