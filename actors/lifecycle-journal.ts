// What is remembered of a connector between runs, durably: which configuration it was started with last, and how far a
// lifecycle event has come. The supervisor decides by it (lifecycle-events.ts) and has it written before and after each event;
// the owner of the data folder keeps it. Without a data folder it lasts as long as the process.

export interface ConnectorMark {
  /** Id of the connector; outside `/v1` its direction and endpoint. */
  readonly connector: string;
  readonly type: 'source' | 'destination';
  /** Plugin or transport of the last start. */
  readonly plugin: string;
  /** Settings with which an event has succeeded last; null: it was never started. */
  readonly active: Readonly<Record<string, unknown>> | null;
  /** An event that was begun and of which no outcome is known: it comes again. */
  readonly intent: LifecycleIntent | null;
  /** The connector has answered that it knows no such events: they are not asked of it again until its plugin changes. */
  readonly withoutEvents: boolean;
  /** onDeleted is owed: the connector is gone from its pipeline. It is tried until it succeeds or is given up. */
  readonly deleted: boolean;
  /** What the pipeline was called that is deleted with it. */
  readonly pipelineName?: string;
}

export interface LifecycleIntent {
  readonly event: 'created' | 'updated' | 'deleted';
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Everything a connector's position is; written in one piece with others that are due. */
export interface PositionMark {
  readonly connector: string;
  /** JSON. */
  readonly position: unknown;
}

/** Each call resolves after the fsync. Implemented by the store's owner, handed to the control thread. */
export interface LifecycleJournal {
  marks(): Promise<readonly ConnectorMark[]>;
  putMark(mark: ConnectorMark): Promise<void>;
  /** After onDeleted has succeeded or is given up, or for a connector that was never started. */
  removeMark(connector: string): Promise<void>;
  positions(): Promise<readonly PositionMark[]>;
  putPositions(positions: readonly PositionMark[]): Promise<void>;
}
