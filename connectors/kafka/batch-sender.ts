// Batches on their way to the leaders of a topic's partitions: in order within a partition, several of them at a time, each once where
// the broker can tell (all acknowledgements are waited for, so that it knows the producer and the number of each batch).
//
// A failure stops the sending until what is under way has come back or is given up; then leaders are looked up again and everything that
// was not confirmed is sent again, in the same order with the same numbers: a broker that has a batch already says so. `drain` is the
// only one that waits and the only one that throws. A leader that does not answer is left when another one has its partition.
import type { Clock } from '../../runtime/clock.ts';
import { wait } from '../sdk/wait.ts';
import { splitBatch } from './batch-splitting.ts';
import type { BrokerAddress, KafkaCluster, TopicDescription } from './kafka-cluster.ts';
import {
  finalKafkaError,
  KafkaMessageTooLarge,
  KafkaTopicMissing,
  KafkaUnavailable,
  ofProduceCode,
  reasonOf,
} from './kafka-errors.ts';
import { type ProduceAnswer, produceBatch } from './produce-request.ts';
import { type BatchSeal, sealBatch } from './record-batch-writer.ts';
import type { RetryPauses } from './retry-pauses.ts';

/** What brokers remember of a producer and a partition: more could not be told apart when they come again. */
const underWayMax = 5;
const lookMs = 1_000;
/** An answer that is late by so much makes the leaders be looked up. */
const lateMs = 5_000;

const messageTooLarge = 10;
const duplicateSequence = 46;
/** The broker does not know the producer, or has other numbers of it: it gets a new identity. */
const lostProducer = new Set([45, 47, 49, 59, 90]);

export interface BatchSenderParts {
  readonly cluster: KafkaCluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly topic: string;
  readonly acks: number;
  readonly timeoutMs: number;
  readonly metadataMs: number;
  readonly failuresMax: number;
  readonly pauses: RetryPauses;
  readonly seal: Pick<BatchSeal, 'compression' | 'crc32c'>;
  reportError(error: unknown): void;
}

interface Waiting {
  /** Finished, not sealed. */
  readonly batch: Uint8Array;
  readonly count: number;
  /** Of the present producer; -1: it has not been sent. */
  sequence: number;
  underWay: { readonly broker: BrokerAddress; readonly since: number } | null;
}

interface Failure {
  readonly thrown: unknown;
  readonly broker: BrokerAddress | null;
  /** It did not answer, or has gone. */
  readonly isGone: boolean;
}

export class BatchSender {
  readonly #parts: BatchSenderParts;
  /** By partition, in the order in which they came. */
  readonly #queues = new Map<number, Waiting[]>();
  readonly #sequences = new Map<number, number>();
  #description: TopicDescription | null = null;
  #lookedAt = 0;
  #producer: { readonly id: bigint; readonly epoch: number } | null = null;
  #failure: Failure | null = null;
  #failures = 0;
  #underWay = 0;
  #bytes = 0;
  #wake: (() => void) | null = null;
  /** How long a batch may be: less where the topic has refused one. */
  batchBytesMax: number;

  constructor(parts: BatchSenderParts, batchBytesMax: number) {
    this.#parts = parts;
    this.batchBytesMax = batchBytesMax;
  }

  /** Known when `ready` has resolved; it may grow. */
  get partitions(): number {
    return this.#description?.partitions.length ?? 0;
  }

  /** Bytes that are not confirmed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tries once to find the leaders and to be known to them: nobody should have to wait for brokers that are away. @throws what is final */
  async open(): Promise<void> {
    try {
      await this.#look();
      if (this.#parts.acks === -1) await this.#identify();
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  /** Resolves when partitions are known. @throws what is final, or KafkaUnavailable */
  async ready(): Promise<void> {
    if (this.#description === null) await this.#retried(() => this.#look());
  }

  /** Sends it when its turn has come. */
  add(partition: number, batch: Uint8Array, count: number): void {
    const queue = this.#queues.get(partition) ?? [];
    queue.push({ batch, count, sequence: -1, underWay: null });
    this.#queues.set(partition, queue);
    this.#bytes += batch.length;
    this.#pump();
  }

  /** Resolves when not more than so many bytes are unconfirmed. @throws what is final, or KafkaUnavailable */
  async drain(bytesMax: number): Promise<void> {
    const { clock, signal } = this.#parts;
    while (this.#bytes > bytesMax || this.#failure !== null) {
      if (this.#failure !== null && this.#underWay === 0) await this.#recover(this.#failure);
      if (this.#producer === null && this.#parts.acks === -1) await this.#retried(() => this.#identify());
      this.#pump();
      if (this.#bytes <= bytesMax && this.#failure === null) return;
      if (this.#failure === null || this.#underWay > 0) await this.#change();
      if (signal.aborted) throw new KafkaUnavailable({ reason: 'stopped before it was confirmed', attempts: 1 });
      await this.#leaveLate();
    }
    if (clock.monotonic() - this.#lookedAt > this.#parts.metadataMs) await this.#retried(() => this.#look());
  }

  /** Sends what may be sent now. */
  #pump(): void {
    if (this.#failure !== null || (this.#producer === null && this.#parts.acks === -1)) return;
    for (const [partition, queue] of this.#queues) {
      const broker = this.#description?.partitions[partition]?.broker ?? null;
      for (let i = 0; i < Math.min(queue.length, underWayMax); i++) {
        const waiting = queue[i];
        if (waiting === undefined || waiting.underWay !== null) continue;
        if (broker === null) {
          this.#failure = { thrown: new Error(`partition ${partition} has no leader`), broker: null, isGone: false };
          return;
        }
        this.#send(partition, waiting, broker);
      }
    }
  }

  #send(partition: number, waiting: Waiting, broker: BrokerAddress): void {
    const { cluster, clock, topic, acks, timeoutMs, seal } = this.#parts;
    if (waiting.sequence < 0) {
      waiting.sequence = this.#sequences.get(partition) ?? 0;
      this.#sequences.set(partition, Number((BigInt(waiting.sequence) + BigInt(waiting.count)) % 2n ** 31n));
    }
    const isKnown = this.#producer !== null;
    const bytes = sealBatch(waiting.batch, {
      ...seal,
      producerId: this.#producer?.id ?? -1n,
      producerEpoch: this.#producer?.epoch ?? -1,
      sequence: isKnown ? waiting.sequence : -1,
    });
    waiting.underWay = { broker, since: clock.monotonic() };
    this.#underWay++;
    cluster
      .ask(broker, (connection) => produceBatch(connection, { topic, partition, bytes, acks, timeoutMs }))
      .then(
        (answer) => this.#answered(partition, waiting, broker, answer),
        (thrown: unknown) => this.#failed({ thrown, broker, isGone: true }),
      )
      .finally(() => {
        waiting.underWay = null;
        this.#underWay--;
        this.#pump();
        this.#wake?.();
      });
  }

  #answered(partition: number, waiting: Waiting, broker: BrokerAddress, { errorCode, message }: ProduceAnswer): void {
    const queue = this.#queues.get(partition) ?? [];
    const at = queue.indexOf(waiting);
    if (errorCode === 0 || errorCode === duplicateSequence) {
      queue.splice(at, 1);
      this.#bytes -= waiting.batch.length;
      this.#failures = 0;
      return;
    }
    if (errorCode === messageTooLarge && this.#split(queue, at, waiting)) {
      this.#failed({ thrown: null, broker, isGone: false });
      return;
    }
    // What was sent behind a batch that failed is out of order: the first failure counts.
    if (this.#failure === null && lostProducer.has(errorCode)) this.#producer = null;
    const { topic } = this.#parts;
    const what = `partition ${partition} of topic "${topic}"${message === null ? '' : ` (${message})`}`;
    const bytes = waiting.batch.length;
    const thrown =
      errorCode === messageTooLarge
        ? new KafkaMessageTooLarge({ topic, partition, bytes })
        : ofProduceCode(errorCode, what);
    this.#failed({ thrown, broker, isGone: false });
  }

  #failed(failure: Failure): void {
    this.#failure ??= failure;
  }

  /** Two in the place of one; its numbers go on. False: it is one message. */
  #split(queue: Waiting[], at: number, { batch, sequence }: Waiting): boolean {
    const halves = splitBatch(batch, this.#parts.clock.now());
    if (halves === null) return false;
    this.batchBytesMax = Math.max(1, Math.min(this.batchBytesMax, batch.length >> 1));
    let next = sequence;
    const parts = halves.map((writer): Waiting => {
      const own = { batch: writer.finish(), count: writer.count, sequence: next, underWay: null };
      next += own.count;
      return own;
    });
    queue.splice(at, 1, ...parts);
    this.#bytes += parts.reduce((sum, part) => sum + part.batch.length, 0) - batch.length;
    return true;
  }

  async #recover({ thrown, broker, isGone }: Failure): Promise<void> {
    const { cluster, signal, clock } = this.#parts;
    this.#failure = null;
    if (this.#producer === null) this.#renumber();
    if (isGone && broker !== null) await cluster.drop(broker);
    // A batch was split.
    if (thrown === null) return;
    await wait(clock, this.#report(thrown), signal);
    await this.#retried(() => this.#look());
  }

  /** Numbers begin anew with a new producer. */
  #renumber(): void {
    this.#sequences.clear();
    for (const queue of this.#queues.values()) for (const waiting of queue) waiting.sequence = -1;
  }

  async #look(): Promise<void> {
    const { cluster, clock, topic } = this.#parts;
    this.#description = await cluster.describe(topic);
    this.#lookedAt = clock.monotonic();
  }

  async #identify(): Promise<void> {
    this.#producer = await this.#parts.cluster.producerIdentity();
  }

  /** Gives up brokers that do not answer and lead no more. */
  async #leaveLate(): Promise<void> {
    const { cluster, clock } = this.#parts;
    const now = clock.monotonic();
    if (now - this.#lookedAt < lateMs) return;
    const late = [...this.#queues].flatMap(([partition, queue]) =>
      queue.flatMap(({ underWay }) =>
        underWay === null || now - underWay.since < lateMs ? [] : [{ partition, broker: underWay.broker }],
      ),
    );
    if (late.length === 0) return;
    await this.#retried(() => this.#look());
    for (const { partition, broker } of late) {
      if (this.#description?.partitions[partition]?.broker?.id !== broker.id) await cluster.drop(broker);
    }
  }

  async #change(): Promise<void> {
    const { clock, signal } = this.#parts;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        this.#wake = null;
        timer.cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = clock.after(lookMs, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = finish;
    });
  }

  async #retried(attempt: () => Promise<void>): Promise<void> {
    const { clock, signal } = this.#parts;
    for (;;) {
      try {
        return await attempt();
      } catch (thrown) {
        await wait(clock, this.#report(thrown), signal);
      }
    }
  }

  /** Returns how long to wait. @throws what is final, or KafkaUnavailable after too many failures without a success */
  #report(thrown: unknown): number {
    const { signal, failuresMax, pauses, reportError } = this.#parts;
    // A topic that was there may come back: brokers that have just started do not know all of them yet.
    const mayComeBack = thrown instanceof KafkaTopicMissing && this.#description !== null;
    const final = mayComeBack ? null : finalKafkaError(thrown);
    if (final !== null) throw final;
    const attempts = ++this.#failures;
    const failed = mayComeBack
      ? thrown
      : new KafkaUnavailable({ reason: reasonOf(thrown), attempts }, { cause: thrown });
    if (attempts > failuresMax || signal.aborted) throw failed;
    reportError(failed);
    return pauses.after(attempts);
  }
}
