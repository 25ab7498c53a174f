// The latest errors of an input through all its attempts: each attempt is an actor that keeps its own, and says them while it lives.
import { errorsMax } from '../../connectors/sdk/format.ts';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { SourceErrors, SourceMessage } from '../source/messages.ts';

/** For the actor to answer. */
const answerMs = 5_000;

export class SourceErrorLists {
  readonly #log: Log;
  #latest: SourceErrors = { parseErrors: [], transportErrors: [] };
  /** Of attempts that are over. */
  #earlier: SourceErrors = this.#latest;

  constructor(log: Log) {
    this.#log = log;
  }

  /** With what `source`, the actor of this attempt, says; null: there is none. */
  async ask(source: ActorRef<SourceMessage> | null): Promise<SourceErrors> {
    if (source === null) return this.#latest;
    try {
      const said = await source.ask<SourceErrors>({ kind: 'errors' }, { deadlineMs: answerMs });
      this.#latest = {
        parseErrors: latest(this.#earlier.parseErrors, said.parseErrors),
        transportErrors: latest(this.#earlier.transportErrors, said.transportErrors),
      };
    } catch (error) {
      // It has just ended or is stuck: what it said before is the latest there is.
      this.#log.debug(`no errors from ${source.id}`, { cause: errorToData(error).message });
    }
    return this.#latest;
  }

  /** Another actor begins with none. */
  closeAttempt(): void {
    this.#earlier = this.#latest;
  }
}

/** As many as are kept of one attempt. */
function latest(earlier: SourceErrors['parseErrors'], said: SourceErrors['parseErrors']): typeof said {
  return earlier.length === 0 ? said : [...earlier, ...said].slice(-errorsMax);
}
