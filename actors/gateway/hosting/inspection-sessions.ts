// Those who look at the records of a pipeline without SQL. They stay while it is stopped and started again; one ends when what it looks
// at is deleted. Each is attached to a deployment before that starts, so that it sees the first record.
import type { Deployment } from './deployment.ts';
import type { RelayPipeline } from './relay-record.ts';

export interface InspectionSession {
  /** Never rejects. */
  attach(deployment: Deployment): Promise<void>;
  /** The connectors and processors have changed. False: what it looks at is gone. */
  isOf(relay: RelayPipeline): boolean;
  /** Tells the one who looks that it is over. */
  close(): void;
}

export class InspectionSessions {
  readonly #sessions = new Set<InspectionSession>();

  /** What it returns takes it out again. */
  add(session: InspectionSession): () => void {
    this.#sessions.add(session);
    return () => {
      this.#sessions.delete(session);
    };
  }

  async attach(deployment: Deployment): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.attach(deployment)));
  }

  review(relay: RelayPipeline): void {
    for (const session of [...this.#sessions]) if (!session.isOf(relay)) session.close();
  }

  close(): void {
    for (const session of [...this.#sessions]) session.close();
  }
}
