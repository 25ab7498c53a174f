// The actor system: spawns actors on threads, reaches them, watches them, ends them. It lives on the supervisor's thread.
//
// It decides nothing but placement: what an actor's end means is its supervisor's affair, who hears of it as SupervisionEvent.
//   actor failed     it threw, called `fail`, or is stuck; its requests were rejected, its resources released (unless stuck)
//   actor stopped    `stop` has ended, in order or by force
//   thread exited    with every actor that was on it; each of them is gone
// A thread ends with its last actor, one that got none with the system. An id may be spawned again as soon as its predecessor is gone. No timer, port or thread
// is left after `shutdown`.
import type { Clock } from '../clock.ts';
import { type CodedErrorClass, defineError, errorFromData } from '../errors.ts';
import type { Log, LogEntry } from '../log.ts';
import { Gauges } from '../metrics.ts';
import { type Heat, ownThread, placeActor } from '../thread/placement.ts';
import type { ActorId, ActorRef, SupervisionEvent } from './actor.ts';
import type { CellReport } from './actor-cell.ts';
import type { Transfer } from './actor-loop.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { ActorGone, askDeadlineMs } from './request.ts';
import { linkHere, startThread, type ThreadLink } from './thread-link.ts';

export const DuplicateActor: CodedErrorClass<{ readonly actor: ActorId }> = defineError(
  'actor.duplicate',
  { help: 'Stop the actor of that name first, or choose another name.' },
  (f) => `there is an actor ${f.actor} already`,
);

export const SystemClosed: CodedErrorClass<{ readonly actor: ActorId }> = defineError(
  'actor.system_closed',
  { help: 'The actor system was shut down; nothing can be spawned any more.' },
  (f) => `cannot spawn ${f.actor}: the actor system is shut down`,
);

export interface ActorSystemOptions {
  /** Module that exports `behaviours: Record<string, Behaviour>`; imported on every thread. */
  readonly behaviours: URL;
  readonly threadsMax: { readonly hot: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly onNotice: (actor: ActorId, notice: unknown) => void;
  readonly onEvent: (event: SupervisionEvent) => void;
  readonly onLog: (entry: LogEntry) => void;
  /** No answer and no heartbeat for so long is `actor.stuck`. Default 30 000; Infinity: never. */
  readonly stuckMs?: number;
}

export interface SpawnOptions {
  readonly id: ActorId;
  readonly behaviour: string;
  readonly args: unknown;
  readonly heat: Heat;
  /** A named thread, such as 'intake'; 'here' is the system's own thread. */
  readonly thread?: string;
  readonly transfer?: Transfer;
  /** For the start of thread and actor. Default 60 000. */
  readonly deadlineMs?: number;
}

export interface ThreadReport {
  readonly name: string;
  readonly actors: readonly ActorId[];
}

interface Thread {
  readonly name: string;
  readonly link: ThreadLink;
  readonly entries: Set<Entry>;
}

interface Entry {
  readonly id: ActorId;
  readonly thread: Thread;
  readonly gauges: Gauges;
  /** Why it is gone; null while it lives. */
  gone: { readonly cause: unknown } | null;
  stopping: Promise<void> | null;
}

const spawnDeadlineMs = 60_000;
const stopDeadlineMs = 10_000;
/** How long a thread with an actor that does not stop has to show that its other actors live: an answer, or heartbeats of theirs. */
const signOfLifeMs = 2_000;
/** So often in a row heartbeats are enough. */
const signsOfLifeMax = 15;

export class ActorSystem {
  readonly #options: ActorSystemOptions;
  /** In order of spawning. */
  readonly #entries = new Map<ActorId, Entry>();
  readonly #threads = new Map<string, Thread>();
  readonly #watch: HeartbeatWatch;
  #closing: Promise<void> | null = null;

  constructor(options: ActorSystemOptions) {
    this.#options = options;
    this.#watch = new HeartbeatWatch({
      clock: options.clock,
      stuckMs: options.stuckMs ?? 30_000,
      watched: () => [...this.#threads.values()],
      onStuck: (actor, error) => options.onEvent({ kind: 'actor failed', actor, error }),
    });
  }

  /** Resolves when the actor has started. @throws what its behaviour or start threw, DuplicateActor, UnknownBehaviour, … */
  async spawn<Message>(options: SpawnOptions): Promise<ActorRef<Message>> {
    const { id, behaviour, args, transfer = [], deadlineMs = spawnDeadlineMs } = options;
    if (this.#closing !== null) throw new SystemClosed({ actor: id });
    if (this.#entries.has(id)) throw new DuplicateActor({ actor: id });
    const thread = this.#placed(options);
    const entry: Entry = { id, thread, gauges: new Gauges(), gone: null, stopping: null };
    this.#entries.set(id, entry);
    thread.entries.add(entry);
    const spec = { actor: id, behaviour, args, gauges: entry.gauges.buffer };
    try {
      await thread.link.spawn(spec, transfer, { deadlineMs });
    } catch (error) {
      thread.link.detach(id);
      this.#forget(entry, error);
      throw error;
    }
    return this.#refTo<Message>(entry);
  }

  /** Starts a named thread, and loads a behaviour there, ahead of its first actor. What goes wrong shows at the spawn. */
  prepare(thread: string, behaviour: string, expected?: unknown): void {
    if (this.#closing !== null) return;
    const { link } = this.#placed({ heat: 'quiet', thread });
    link.prepare(behaviour, expected).catch(() => {});
  }

  stop(ref: ActorRef<never>, deadlineMs: number = stopDeadlineMs): Promise<void> {
    return ref.stop(deadlineMs);
  }

  /** Threads that run, with their actors. */
  threads(): readonly ThreadReport[] {
    return [...this.#threads.values()].map(({ name, entries }) => ({ name, actors: [...entries].map(({ id }) => id) }));
  }

  /** Stops every actor in reverse order of spawning, then ends every thread. What is not done by the deadline is forced. */
  shutdown(deadlineMs: number = stopDeadlineMs): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#watch.close();
    const { clock } = this.#options;
    const end = clock.monotonic() + deadlineMs;
    for (const entry of [...this.#entries.values()].reverse()) {
      await this.#stop(entry, Math.max(1, end - clock.monotonic()));
    }
    await Promise.all([...this.#threads.values()].map((thread) => this.#endThread(thread)));
  }

  #placed(options: Pick<SpawnOptions, 'heat' | 'thread'>): Thread {
    const loads = [...this.#threads.values()].map(({ name, entries }) => ({ name, actors: entries.size }));
    const wish = { heat: options.heat, thread: options.thread ?? null };
    const name = placeActor(wish, loads, this.#options.threadsMax.hot);
    const running = this.#threads.get(name);
    if (running !== undefined) return running;
    const { behaviours, clock } = this.#options;
    const start = name === ownThread ? linkHere : startThread;
    const thread: Thread = {
      name,
      entries: new Set(),
      link: start({
        name,
        behaviours,
        clock,
        onReport: (report) => this.#hear(thread, report),
        onExit: (error) => this.#threadExited(thread, error),
      }),
    };
    this.#threads.set(name, thread);
    return thread;
  }

  #refTo<Message>(entry: Entry): ActorRef<Message> {
    const { id, thread, gauges } = entry;
    return {
      id,
      thread: thread.name,
      gauges,
      tell: (message, transfer = []) => {
        if (entry.gone !== null) return;
        thread.link.tell({ actor: id, message }, transfer).catch((error: unknown) => {
          if (entry.gone === null) this.#options.log.error('a message was not delivered', { actor: id, error });
        });
      },
      ask: async <R>(message: Message, options: Parameters<ActorRef<Message>['ask']>[1] = {}): Promise<R> => {
        if (entry.gone !== null) throw goneError(entry);
        const { transfer = [], signal, deadlineMs = askDeadlineMs } = options;
        // SAFETY: which answer belongs to which message is the contract of the actor's messages.ts.
        return (await thread.link.ask({ actor: id, message }, transfer, { deadlineMs, signal })) as R;
      },
      stop: (deadlineMs = stopDeadlineMs) => this.#stop(entry, deadlineMs),
    };
  }

  #stop(entry: Entry, deadlineMs: number): Promise<void> {
    if (entry.gone !== null) return entry.stopping ?? Promise.resolve();
    entry.stopping ??= this.#stopNow(entry, deadlineMs);
    return entry.stopping;
  }

  async #stopNow(entry: Entry, deadlineMs: number): Promise<void> {
    const { id, thread } = entry;
    try {
      await thread.link.stop(id, { deadlineMs });
    } catch {
      // Not in time, or its thread died: either way it is made sure below that nothing of it is left.
      if (entry.gone === null) await this.#force(entry);
    }
    if (entry.gone !== null) return;
    const ended = this.#forget(entry, null);
    this.#options.onEvent({ kind: 'actor stopped', actor: id });
    await ended;
  }

  /** Takes an actor off a thread whose other actors answer; ends a thread that does not answer at all. */
  async #force(entry: Entry): Promise<void> {
    const { id, thread } = entry;
    this.#options.log.warn('an actor did not stop in time and is ended by force', { actor: id });
    const neighbours = (): Entry[] => [...thread.entries].filter((other) => other !== entry);
    if (neighbours().length > 0 && (await showsLife(thread.link, neighbours))) {
      thread.link.detach(id);
      return;
    }
    await thread.link.end();
    const others = neighbours();
    if (others.length === 0) return;
    this.#threadLost(thread, others, new ActorGone({ actor: id }));
  }

  #hear(thread: Thread, report: CellReport): void {
    if (report.kind === 'log') {
      this.#options.onLog(report.entry);
      return;
    }
    const entry = this.#entries.get(report.actor);
    if (entry === undefined || entry.thread !== thread) return;
    if (report.kind === 'notice') {
      this.#options.onNotice(report.actor, report.notice);
      return;
    }
    const error = errorFromData(report.error);
    this.#forget(entry, error);
    this.#options.onEvent({ kind: 'actor failed', actor: report.actor, error });
  }

  #threadExited(thread: Thread, error: unknown): void {
    if (this.#threads.get(thread.name) !== thread) return;
    this.#threadLost(thread, [...thread.entries], error);
  }

  #threadLost(thread: Thread, entries: readonly Entry[], error: unknown): void {
    for (const entry of entries) this.#forget(entry, error);
    this.#threads.delete(thread.name);
    const actors = entries.map(({ id }) => id);
    this.#options.onEvent({ kind: 'thread exited', thread: thread.name, actors, error });
  }

  /** The actor is gone; its thread ends when it was the last one on it. */
  async #forget(entry: Entry, cause: unknown): Promise<void> {
    const { id, thread } = entry;
    entry.gone = { cause };
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    thread.entries.delete(entry);
    if (thread.entries.size === 0) await this.#endThread(thread);
  }

  async #endThread(thread: Thread): Promise<void> {
    if (this.#threads.get(thread.name) === thread) this.#threads.delete(thread.name);
    await thread.link.end();
  }
}

async function showsLife(link: ThreadLink, neighbours: () => readonly Entry[]): Promise<boolean> {
  const beats = (): number => neighbours().reduce((sum, { gauges }) => sum + gauges.get('heartbeat'), 0);
  for (let sign = 0; sign < signsOfLifeMax; sign++) {
    const before = beats();
    try {
      await link.ping(signOfLifeMs);
      return true;
    } catch {
      // In the middle of long work it does not answer.
      if (beats() <= before) return false;
    }
  }
  return false;
}

function goneError(entry: Entry): InstanceType<typeof ActorGone> {
  const cause = entry.gone?.cause ?? null;
  return new ActorGone({ actor: entry.id }, cause === null ? {} : { cause });
}
