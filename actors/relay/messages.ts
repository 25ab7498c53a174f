// A relay is told what an engine is told (actors/engine/messages.ts) and tells what an engine tells: to its supervisor a pipeline without
// SQL is a pipeline with another engine. This file has what it is made with.
export interface RelayArguments {
  readonly deadLetters: DeadLetterSettings;
}

export interface DeadLetterSettings {
  /** Of the output that keeps refused records. */
  readonly endpoint: string;
  readonly windowSize: number;
  readonly windowNackThreshold: number;
}
