// How long each call of a connector may take before it counts as stuck. Part of what a pipeline is opened with.

export interface ConnectorDeadlines {
  readonly configureMs: number;
  /** onCreated, onUpdated, onDeleted. */
  readonly eventMs: number;
  readonly openMs: number;
  /** A source: until it has given what it had. A destination: until it has answered for everything. */
  readonly stopMs: number;
  readonly teardownMs: number;
}

/** The SDK of standalone connectors gives its own calls up to a minute. */
export const defaultDeadlines: ConnectorDeadlines = {
  configureMs: 60_000,
  eventMs: 60_000,
  openMs: 120_000,
  stopMs: 65_000,
  teardownMs: 65_000,
};
