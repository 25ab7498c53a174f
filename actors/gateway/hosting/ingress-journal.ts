// What HTTP inputs of one deployment have taken since the latest checkpoint, kept on disk.
//
//   flush ──append──► durable ──► to the engine ──► answer
//   checkpoint: flushes wait ──► what was sent is in steps ──► image written, log cut ──► flushes go on
//   start:      flushes wait ──► log sent to the engine, in steps ──► flushes go on
//
// Invariants: the engine sees nothing that is not on disk, in the order of the disk; a checkpoint contains everything up to
// the sequence at which the log is cut, and nothing behind it. Rows whose request has failed may be in the log.
// Not here: rows and replies (ingress/ingress-endpoint.ts), the disk (the store).
import { systemClock } from '../../../runtime/clock.ts';
import type { FrameSender, MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { encodeToken } from '../../completion-token.ts';
import type { IngressEntry, IngressRecord, Store } from '../../store/messages.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { Deployment, InputJournal } from './deployment.ts';

const replayLimits: MailboxLimits = { rowsMax: 100_000, bytesMax: 64 * 1024 * 1024 };
const pollMsMin = 1;
const pollMsMax = 50;
/** For so long a checkpoint keeps requests waiting for outputs that hold the engine. */
const quiesceMsMax = 30_000;

interface JournalParts {
  readonly store: Store;
  /** Of the pipeline. */
  readonly id: string;
  readonly deployment: Deployment;
  /** New rows are logged; what the log holds is replayed in any case. */
  readonly keeps: boolean;
}

interface ReplayPort {
  readonly endpoint: string;
  readonly sender: FrameSender;
  readonly token: string;
  readonly fingerprint: number;
}

export class IngressJournal implements InputJournal {
  readonly keeps: boolean;
  readonly #parts: JournalParts;
  /** Flushes that wait for a checkpoint or the replay. */
  #held: (() => void)[] = [];
  #isHeld = true;
  #isReplayed = false;
  /** Settles when all that was begun is with the engine or has failed. */
  #tail: Promise<unknown> = Promise.resolve();
  /** The replay, then checkpoints, one after the other. */
  #turns: Promise<unknown> = Promise.resolve();
  /** Of each endpoint: the token of what it has sent last. */
  readonly #sent = new Map<string, string>();
  #sequence = 0;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.keeps = parts.keeps;
  }

  write(entry: IngressEntry, send: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.#append(entry, send).then(resolve, reject);
      };
      if (this.#isHeld) this.#held.push(begin);
      else begin();
    });
  }

  async #append(entry: IngressEntry, send: () => string): Promise<void> {
    const { store, id } = this.#parts;
    const previous = this.#tail;
    const append = entry.chunks.length === 0 ? null : store.appendIngress(id, entry);
    const done = (async () => {
      const [appended] = await Promise.allSettled([append, previous]);
      if (appended.status === 'rejected') throw appended.reason;
      if (appended.value !== null) this.#sequence = appended.value;
      this.#sent.set(entry.endpoint, send());
    })();
    this.#tail = done.catch(() => {});
    await done;
  }

  /** What the log holds goes to the engine and is in steps when this resolves; then the first flush is let through. */
  replay(): Promise<number> {
    return this.#inTurn(async () => {
      const rows = await this.#replay();
      this.#isReplayed = true;
      this.#release();
      return rows;
    });
  }

  /**
   * `work` is given the sequence up to which the log is in steps; nothing enters the engine here until it is over, and
   * nothing ever again when it `ends`. @throws HttpProblem 503 when steps do not come to an end of what was sent.
   */
  quiesced<R>(work: (upTo: number) => Promise<R>, ends: boolean): Promise<R> {
    return this.#inTurn(async () => {
      if (!this.#isReplayed) throw tooEarly();
      this.#isHeld = true;
      let isOver = false;
      try {
        await this.#tail;
        const deadline = systemClock.monotonic() + quiesceMsMax;
        for (const token of this.#sent.values()) await this.#whenStepped(token, deadline);
        this.#sent.clear();
        const result = await work(this.#sequence);
        isOver = ends;
        return result;
      } finally {
        if (!isOver) this.#release();
      }
    });
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const turn = this.#turns.then(work);
    this.#turns = turn.catch(() => {});
    return turn;
  }

  #release(): void {
    this.#isHeld = false;
    const held = this.#held;
    this.#held = [];
    for (const begin of held) begin();
  }

  async #replay(): Promise<number> {
    const { store, id, deployment } = this.#parts;
    const ports = new Map<string, ReplayPort>();
    let sum = 0;
    for await (const record of store.replayIngress(id)) {
      const port = ports.get(record.table) ?? (await this.#openPort(record.table));
      ports.set(record.table, port);
      const rows = rowsOf(record, port.fingerprint);
      for (const [n, chunk] of record.chunks.entries()) {
        if (!port.sender.hasCredit) await port.sender.whenReady(deployment.ended);
        port.sender.sendEncoded(chunk, rows[n] ?? 0);
        sum += rows[n] ?? 0;
      }
      this.#sequence = record.sequence;
    }
    for (const { endpoint, sender, token } of ports.values()) {
      sender.send({ kind: 'mark', mark: 1 });
      await this.#whenStepped(token, Number.POSITIVE_INFINITY);
      sender.close();
      await deployment.call('replay', (control) => control.closeIngressPort(endpoint));
    }
    return sum;
  }

  async #openPort(name: string): Promise<ReplayPort> {
    const { deployment } = this.#parts;
    const table = deployment.tables.find((each) => each.name === name);
    if (table === undefined) throw mismatch(name, 'there is no such table');
    const wished = `${name}.api-ingress-replay`;
    const opened = await deployment.call('replay', (control) => control.openIngressPort(name, wished, replayLimits));
    const { endpoint, incarnation, port } = opened;
    const sender = openFrameSender(port, { schema: table.schema, limits: replayLimits });
    const token = encodeToken({ incarnation, endpoint, mark: 1 });
    return { endpoint, sender, token, fingerprint: table.schema.fingerprint };
  }

  async #whenStepped(token: string, deadline: number): Promise<void> {
    const { deployment } = this.#parts;
    for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMsMax, pollMs * 2)) {
      const { step } = await deployment.call('ingress', (control) => control.completionStatus(token));
      if (step !== null) return;
      if (systemClock.monotonic() > deadline) throw notStepped();
      await new Promise<void>((resolve) => {
        systemClock.after(pollMs, resolve);
      });
    }
  }
}

/** How many rows each chunk holds. */
function rowsOf(record: IngressRecord, fingerprint: number): readonly number[] {
  // SAFETY: written by the endpoint of an HTTP input and checked by the store's checksum.
  const format = record.format as { readonly rows: readonly number[]; readonly fingerprint: number };
  if (format.fingerprint !== fingerprint) throw mismatch(record.table, 'its columns are others now');
  return format.rows;
}

function mismatch(table: string, detail: string): HttpProblem {
  return new HttpProblem({
    status: 409,
    code: 'IngressLogMismatch',
    message: `rows that were taken for table '${table}' cannot be replayed: ${detail}; clear the pipeline's storage, or start it with the program that took them`,
    details: { table },
  });
}

function tooEarly(): HttpProblem {
  return new HttpProblem({ status: 503, code: 'Initializing', message: 'logged input has not been replayed yet' });
}

function notStepped(): HttpProblem {
  return new HttpProblem({
    status: 503,
    code: 'CheckpointTimeout',
    message: `rows that were sent did not enter a step within ${quiesceMsMax / 1000} s: a transaction is open or an output holds the engine`,
  });
}
