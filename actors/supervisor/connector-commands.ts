// What a user may do to one connector of a live pipeline: pause, resume, add, remove.
//
// A command writes down what is wanted; reconcile.ts says what follows, and the command waits until it has happened.
import type { CompletionLedger } from './completion-ledger.ts';
import type { CompletionWaits } from './completion-waits.ts';
import type { ConnectorRoster } from './connector-roster.ts';
import type { Direction } from './messages.ts';
import type { PipelineCondition } from './pipeline-condition.ts';
import { ConnectorFailed } from './supervision-errors.ts';
import type { SupervisorArguments } from './supervisor-arguments.ts';

/** What the rows of a removed output get to be written. */
const removalDrainMs = 10_000;

export interface ConnectorCommandsArguments extends Pick<SupervisorArguments, 'extend' | 'shrink'> {
  readonly condition: PipelineCondition;
  readonly roster: ConnectorRoster;
  readonly ledger: CompletionLedger;
  readonly waits: CompletionWaits;
  /** Whether there is an engine that an added output can be attached to. */
  readonly hasEngine: () => boolean;
  readonly onChange: () => void;
}

export class ConnectorCommands {
  readonly #args: ConnectorCommandsArguments;

  constructor(args: ConnectorCommandsArguments) {
    this.#args = args;
  }

  async pause(endpoint: string): Promise<void> {
    const { condition, roster, waits, onChange } = this.#args;
    condition.refuseUnlessLive('pauseConnector');
    const output = roster.outputOf(endpoint);
    if (output !== null) return await output.pause();
    const input = roster.input(endpoint);
    input.desired = { ...input.desired, paused: true };
    onChange();
    await waits.settled('pauseConnector', () => [input]);
  }

  /** @throws ConnectorFailed when it fails as it starts. */
  async resume(endpoint: string): Promise<void> {
    const { condition, roster, waits, onChange } = this.#args;
    condition.refuseUnlessLive('resumeConnector');
    const output = roster.outputOf(endpoint);
    if (output !== null) return await output.resume();
    const input = roster.input(endpoint);
    const startedByHand = input.desired.startedByHand || roster.waitingFor(endpoint).length > 0;
    input.desired = { ...input.desired, paused: false, startedByHand };
    onChange();
    await waits.settled('resumeConnector', () => [input]);
    if (input.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: input.cause });
  }

  async add(direction: Direction, key: string, definition: unknown): Promise<string> {
    const { condition, roster, extend, hasEngine, onChange } = this.#args;
    condition.refuseUnlessLive('addConnector');
    const connector = extend(direction, key, definition);
    if (connector.kind === 'input') {
      roster.addInput(connector);
    } else {
      const output = roster.addOutput(connector);
      if (hasEngine()) {
        await output.open();
        await output.attach();
      }
    }
    onChange();
    return connector.endpoint;
  }

  async remove(direction: Direction, endpoint: string): Promise<void> {
    const { condition, roster, ledger, shrink, onChange } = this.#args;
    condition.refuseUnlessLive('removeConnector');
    if (direction === 'output') {
      const output = roster.output(endpoint);
      await output.drain(AbortSignal.timeout(removalDrainMs)).catch((error) => output.fail(error));
      await output.stop();
      await output.abandon();
    } else {
      const input = roster.input(endpoint);
      roster.assertRemovable(input);
      // Rows of a held input would never be taken.
      await input.stop(input.observed.flowing ? 'keep' : 'discard');
    }
    roster.forget(direction, endpoint);
    if (direction === 'input') ledger.forget(endpoint);
    shrink(direction, endpoint);
    onChange();
  }
}
