// Carries out what lifecycle-events.ts decides: the intent is written, the connector is told, the outcome is written.
//
// One connector at a time is its caller's care. A write that fails fails the start: an event whose intent is not on disk is not told.
import { PluginHasNoEvents } from '../../connectors/standalone/plugin-errors.ts';
import type { LifecycleCall } from '../connector-calls.ts';
import type { ConnectorMark, LifecycleJournal } from '../lifecycle-journal.ts';
import {
  deletionStep,
  type LifecycleStep,
  type StartedConnector,
  startStep,
  withoutEvents,
} from './lifecycle-events.ts';

export class LifecycleKeeper {
  readonly #journal: LifecycleJournal;
  readonly #marks = new Map<string, ConnectorMark>();

  constructor(journal: LifecycleJournal) {
    this.#journal = journal;
  }

  /** Reads what earlier runs have left. Before anything else. */
  async load(): Promise<void> {
    for (const mark of await this.#journal.marks()) this.#marks.set(mark.connector, mark);
  }

  get marks(): readonly ConnectorMark[] {
    return [...this.#marks.values()];
  }

  /** `tell` has the connector check its configuration, and tells it of the event if there is one. @throws what it throws */
  async start(wanted: StartedConnector, tell: (event: LifecycleCall | null) => Promise<void>): Promise<void> {
    await this.#perform(startStep(this.#marks.get(wanted.connector) ?? null, wanted), tell);
  }

  /** The connector is gone for good. `tell` is called when it is owed its last event. @throws what it throws; then it is still owed. */
  async delete(connector: string, tell: (event: LifecycleCall) => Promise<void>): Promise<void> {
    const mark = this.#marks.get(connector);
    if (mark === undefined) return;
    await this.#perform(deletionStep(mark), async (event) => {
      if (event !== null) await tell(event);
    });
    await this.#journal.removeMark(connector);
    this.#marks.delete(connector);
  }

  async #perform(step: LifecycleStep, tell: (event: LifecycleCall | null) => Promise<void>): Promise<void> {
    if (step.before !== null) await this.#put(step.before);
    let after = step.after;
    try {
      await tell(step.event);
    } catch (error) {
      if (step.event === null || !(error instanceof PluginHasNoEvents)) {
        if (step.failed !== null) await this.#put(step.failed);
        throw error;
      }
      if (after !== null) after = withoutEvents(after);
    }
    if (after !== null) await this.#put(after);
  }

  async #put(mark: ConnectorMark): Promise<void> {
    await this.#journal.putMark(mark);
    this.#marks.set(mark.connector, mark);
  }
}
