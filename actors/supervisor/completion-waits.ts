// Waiting for what a pipeline is still to do: connectors at their end, tokens in all views and outputs, settled inputs.
//
// The ledger says when to look again; what is looked at is the roster and the pipeline's condition. A wait ends with a
// coded error as soon as what it waits for cannot come any more.
import type { ActorRef } from '../../runtime/actor/actor.ts';
import { processMillis } from '../../runtime/clock.ts';
import type { EngineMessage, EngineProgress } from '../engine/messages.ts';
import type { CompletionLedger } from './completion-ledger.ts';
import type { ConnectorRoster } from './connector-roster.ts';
import type { InputHandle } from './input-handle.ts';
import type { CompletionReport, Direction, LatestDelivered } from './messages.ts';
import type { PipelineCondition } from './pipeline-condition.ts';
import { ConnectorFailed, ConnectorRemoved } from './supervision-errors.ts';

export interface CompletionWaitsArguments {
  readonly condition: PipelineCondition;
  readonly roster: ConnectorRoster;
  readonly ledger: CompletionLedger;
  /** @throws EngineLost */
  readonly engine: () => ActorRef<EngineMessage>;
}

export class CompletionWaits {
  readonly #condition: PipelineCondition;
  readonly #roster: ConnectorRoster;
  readonly #ledger: CompletionLedger;
  readonly #engine: () => ActorRef<EngineMessage>;

  constructor({ condition, roster, ledger, engine }: CompletionWaitsArguments) {
    this.#condition = condition;
    this.#roster = roster;
    this.#ledger = ledger;
    this.#engine = engine;
  }

  /** @throws ConnectorFailed, ConnectorRemoved, and what the pipeline's condition refuses with. */
  async connectorEnded(direction: Direction, endpoint: string, signal: AbortSignal): Promise<void> {
    const handle = this.#roster.handle(direction, endpoint);
    await this.#ledger.when(() => {
      if (handle.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: handle.cause });
      if (handle.state === 'ended') return true;
      // While a graceful stop drains it, a connector may still come to its end.
      if (this.#condition.state !== 'draining' || handle.state === 'stopped') {
        this.#condition.refuseUnlessLive('connectorEnded');
      }
      if (handle.state === 'stopped') throw new ConnectorRemoved({ endpoint });
      return false;
    }, signal);
  }

  async allCompleted(signal: AbortSignal): Promise<CompletionReport> {
    this.#condition.refuseUnlessStarted('waitForCompletion');
    const when = (isDone: () => boolean): Promise<void> =>
      this.#ledger.when(() => {
        this.#condition.refuseUnlessLive('waitForCompletion');
        return isDone();
      }, signal);
    await when(() => this.#roster.areInputsThrough && this.#ledger.areMarksStepped);
    // Rows of an input that failed are in a step too, of which nobody was told.
    const { steps } = await this.#engine().ask<EngineProgress>({ kind: 'progress' }, { signal });
    for (const output of this.#roster.outputs) output.writeThrough(steps);
    await when(() => this.#ledger.completedStep >= steps);
    return { failed: this.#roster.failed, stuck: [...this.#roster.stuck] };
  }

  async running(signal: AbortSignal): Promise<void> {
    await this.#ledger.when(() => {
      this.#condition.refuseUnlessStarted('inputJson');
      return this.#condition.state === 'running';
    }, signal);
  }

  async tokenCompleted(token: string, signal: AbortSignal): Promise<void> {
    const isComplete = this.#ledger.isTokenComplete(token);
    await this.#ledger.when(() => {
      if (isComplete()) return true;
      // A graceful stop still carries out what was pushed.
      if (this.#condition.state !== 'draining') this.#condition.refuseUnlessLive('completed');
      return false;
    }, signal);
  }

  /** How long the newest batch of an input took to all views and outputs; null: it has sent none. */
  async latestDelivered(endpoint: string, signal: AbortSignal): Promise<LatestDelivered | null> {
    const { gauges } = this.#roster.input(endpoint);
    if (gauges === null || gauges.get('sentAt') === 0) return null;
    let sentAt: number;
    let records: number;
    // Its thread may write meanwhile: moment and number have to be of the same batch.
    do {
      sentAt = gauges.get('sentAt');
      records = gauges.get('records');
    } while (sentAt !== gauges.get('sentAt'));
    await this.tokenCompleted(this.#ledger.recordsToken(endpoint, records), signal);
    return { records, milliseconds: processMillis() - sentAt };
  }

  /** Until these inputs do what they are to do; at once before the pipeline's start. */
  async settled(call: string, inputs: () => readonly InputHandle[]): Promise<void> {
    if (this.#condition.state === 'created') return;
    await this.#ledger.when(() => {
      this.#condition.refuseUnlessLive(call);
      return this.#roster.isSettled(inputs());
    }, new AbortController().signal);
  }
}
