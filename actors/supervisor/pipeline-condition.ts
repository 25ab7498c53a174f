// Where a pipeline stands in its life, why it has failed, and what may be asked of it meanwhile.
//
// The supervisor alone moves it; its helpers ask it. A call that comes too early or too late is refused here, with the
// cause of the failure where there is one.
import { type ErrorData, errorFromData, errorToData } from '../../runtime/errors.ts';
import { nextPipelineState, type PipelineEvent, type PipelineState } from './pipeline-lifecycle.ts';
import { PipelineFailed, PipelineNotStarted, PipelineStopped } from './supervision-errors.ts';

export class PipelineCondition {
  #state: PipelineState = 'created';
  #error: ErrorData | null = null;

  get state(): PipelineState {
    return this.#state;
  }

  /** Why the pipeline has failed; null: it has not. */
  get error(): ErrorData | null {
    return this.#error;
  }

  /** False once it has failed or ended: nothing can fail any more. */
  get canFail(): boolean {
    return this.#state !== 'failed' && this.#state !== 'stopped';
  }

  /** @throws an error of the lifecycle where the table has no such transition. */
  move(event: PipelineEvent): void {
    this.#state = nextPipelineState(this.#state, event);
  }

  /** Notes the cause of a failure, which is still to be moved to. */
  blame(error: unknown): ErrorData {
    this.#error = errorToData(error);
    return this.#error;
  }

  /** @throws PipelineNotStarted, and what `refuseUnlessLive` throws. */
  refuseUnlessStarted(call: string): void {
    this.refuseUnlessLive(call);
    if (this.#state === 'created' || this.#state === 'starting') throw new PipelineNotStarted({ call });
  }

  /** @throws PipelineFailed, PipelineStopped. */
  refuseUnlessLive(call: string): void {
    if (this.#state === 'failed') {
      const cause = this.#error === null ? {} : { cause: errorFromData(this.#error) };
      throw new PipelineFailed({ call, reason: this.#error?.message ?? 'for no known reason' }, cause);
    }
    if (this.#state === 'stopped' || this.#state === 'draining') {
      throw new PipelineStopped({ call, state: this.#state });
    }
  }
}
