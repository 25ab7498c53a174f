// The control thread's end of pushed rows, one for each table: objects become batches, go to the engine, and are
// followed by a mark whose token the caller gets.
//
// Pushes to one table keep their order. A push is refused as a whole before its first row is sent when a row does not fit
// the table. Once rows have been sent they stay, also when the caller gives up.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { FrameSender, MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import type { SupervisorInterface } from '../../supervisor/messages.ts';

const limits: MailboxLimits = { rowsMax: 100_000, bytesMax: 64 * 1024 * 1024 };

export class Ingress {
  readonly #supervisor: SupervisorInterface;
  readonly #relation: Relation;
  #channel: Promise<{ readonly endpoint: string; readonly sender: FrameSender }> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #sequence = 0;

  constructor(supervisor: SupervisorInterface, relation: Relation) {
    this.#supervisor = supervisor;
    this.#relation = relation;
  }

  /** Resolves with the completion token once the rows are on their way. */
  push(batches: readonly ChangeBatch[], force: boolean, signal: AbortSignal): Promise<string> {
    const sent = this.#last.then(
      () => this.#send(batches, force, signal),
      () => this.#send(batches, force, signal),
    );
    this.#last = sent;
    return sent;
  }

  async close(): Promise<void> {
    const channel = await this.#channel?.catch(() => null);
    channel?.sender.close();
  }

  async #send(batches: readonly ChangeBatch[], force: boolean, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (!force) await this.#supervisor.whenRunning(signal);
    const { endpoint, sender } = await this.#open();
    for (const batch of batches) {
      await sender.whenReady(signal);
      sender.send({ kind: 'batch', sequence: ++this.#sequence, batch });
    }
    const { mark, token } = this.#supervisor.nextMark(endpoint);
    sender.send({ kind: 'mark', mark });
    return token;
  }

  #open(): Promise<{ readonly endpoint: string; readonly sender: FrameSender }> {
    this.#channel ??= this.#supervisor.openIngress(this.#relation.name, limits).then(
      ({ endpoint, port }) => ({ endpoint, sender: openFrameSender(port, { schema: this.#relation.schema, limits }) }),
      (error) => {
        this.#channel = null;
        throw error;
      },
    );
    return this.#channel;
  }
}
