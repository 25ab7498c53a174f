// A replay of the dead letters of a pipeline without SQL: from the file of its queue through the relay to those who refused them.
//
//   file, from what was replayed last up to its end now ─► stretches of one source and one way ─► an input of the relay each, in turn
//
// A letter that a destination refused goes to that destination alone; one that was refused on the way there goes the whole way again,
// through the processors of its source. An input has ended when each of its records is delivered or back in the queue, behind the end of
// this replay. What is acknowledged is noted beside the file: what breaks off goes on there at the next call. One at a time.
// Not here: the input itself (input-handle.ts), the file (connectors/dead-letters/).
import { type DeadLetter, readLetter } from '../../connectors/dead-letters/letter.ts';
import { letterFileEnd, letterLines, noteReplayedTo, replayedTo } from '../../connectors/dead-letters/letter-file.ts';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ErrorData, errorToData } from '../../runtime/errors.ts';
import type { ReplayRoute } from '../engine/messages.ts';
import type { DeadLetterReplayStatus } from './messages.ts';
import { boundToRecords } from './relay-configuration.ts';
import { ReplayUnderWay } from './supervision-errors.ts';

/** What one input carries: a status in between, and room for other inputs. */
const stretchLettersMax = 10_000;

export interface ReplayParts {
  /** Of the pipeline. */
  readonly id: string;
  /** Of the queue's file. @throws DeadLettersNotKept */
  readonly path: () => string;
  readonly isSource: (id: string) => boolean;
  readonly isDestination: (id: string) => boolean;
  /** Runs an input to its end: resolves when everything of it is settled. @throws what ends it */
  readonly run: (connector: InputConnector, route: ReplayRoute, signal: AbortSignal) => Promise<void>;
}

interface Stretch {
  readonly route: ReplayRoute;
  readonly from: number;
  readonly to: number;
  readonly letters: number;
}

export class DeadLetterReplay {
  readonly #parts: ReplayParts;
  #status: DeadLetterReplayStatus = { state: 'none', replayed: 0, unreadable: 0, error: null };

  constructor(parts: ReplayParts) {
    this.#parts = parts;
  }

  get status(): DeadLetterReplayStatus {
    return this.#status;
  }

  /** @throws ReplayUnderWay, DeadLettersNotKept, what ends an input; what was replayed before that is noted */
  async run(signal: AbortSignal): Promise<DeadLetterReplayStatus> {
    if (this.#status.state === 'running') throw new ReplayUnderWay({});
    const path = this.#parts.path();
    this.#set({ state: 'running', replayed: 0, unreadable: 0, error: null });
    try {
      await this.#replay(path, signal);
      this.#set({ state: 'done' });
    } catch (error) {
      const data: ErrorData = errorToData(error);
      this.#set({ state: 'failed', error: data });
      throw error;
    }
    return this.#status;
  }

  #set(fields: Partial<DeadLetterReplayStatus>): void {
    this.#status = { ...this.#status, ...fields };
  }

  async #replay(path: string, signal: AbortSignal): Promise<void> {
    const { id, run } = this.#parts;
    const to = await letterFileEnd(path);
    let at = await replayedTo(path, id);
    while (at < to) {
      signal.throwIfAborted();
      const stretch = await this.#nextStretch(path, at, to);
      if (stretch === null) break;
      const { route, from, to: end, letters } = stretch;
      const config = { path, pipeline: id, source: route.source, from, to: end };
      const input = boundToRecords({ id: `${id}-replay`, type: 'source', transport: { name: 'dead_letters', config } });
      if (input.kind === 'input') await run(input, route, signal);
      await noteReplayedTo(path, id, end);
      this.#set({ replayed: this.#status.replayed + letters });
      at = end;
    }
    if (at < to) await noteReplayedTo(path, id, to);
  }

  /** Letters of one source that go one way; those of other pipelines between them are passed over. Null: there are none left. */
  async #nextStretch(path: string, from: number, to: number): Promise<Stretch | null> {
    let route: ReplayRoute | null = null;
    let begin = from;
    let end = from;
    let letters = 0;
    let unreadable = 0;
    for await (const { text, offset, end: lineEnd } of letterLines(path, from, to)) {
      const letter = readLetter(text);
      const way = letter === null ? null : this.#routeOf(letter);
      if (letter === null && text !== '') unreadable++;
      if (way !== null) {
        const isOther = route !== null && (way.source !== route.source || way.only !== route.only);
        if (isOther || letters === stretchLettersMax) break;
        if (route === null) begin = offset;
        route = way;
        letters++;
      }
      end = lineEnd;
      this.#set({ unreadable: this.#status.unreadable + unreadable });
      unreadable = 0;
    }
    return route === null ? null : { route, from: begin, to: end, letters };
  }

  /** Null: it is another pipeline's. */
  #routeOf({ source, node }: DeadLetter): ReplayRoute | null {
    const { isSource, isDestination } = this.#parts;
    if (isDestination(node)) return { source, only: node };
    return isSource(source) ? { source, only: null } : null;
  }
}
