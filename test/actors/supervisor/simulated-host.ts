// Actors without threads for tests of the supervisor: what it asks of them is recorded, what they answer and tell is
// scripted by the test. The engine's and connectors' real behaviour is tested in test/embedded.
import type { ActorHost, SpawnOrder } from '../../../actors/supervisor/actor-host.ts';
import { type ActorId, type ActorRef, actorId, type SupervisionEvent } from '../../../runtime/actor/actor.ts';
import { Gauges } from '../../../runtime/metrics.ts';

interface Said {
  readonly kind: string;
  readonly endpoint?: string;
}

export class SimulatedHost implements ActorHost {
  onSupervision: ((event: SupervisionEvent) => void) | null = null;
  /** Everything asked and done, in order: `engine attach input t.a`, `source:t.a open`. */
  readonly log: string[] = [];
  readonly threads: readonly { readonly name: string; readonly actors: readonly string[] }[] = [];
  readonly gauges: Map<string, Gauges> = new Map();
  readonly #notices = new Map<string, (notice: never) => void>();
  /** Answers by log line; a line that is not here is answered with undefined. Errors are thrown. */
  readonly answers: Map<string, unknown> = new Map();
  isStopped = false;

  prepare(): void {}

  async spawn<Message, Notice>(order: SpawnOrder<Notice>): Promise<ActorRef<Message>> {
    const { id } = order;
    this.#say(`${id} spawn`);
    const gauges = new Gauges();
    this.gauges.set(id, gauges);
    this.#notices.set(id, order.onNotice);
    return {
      id,
      thread: order.thread ?? 'output',
      gauges,
      tell: () => {},
      ask: async <R>(message: Message): Promise<R> => {
        // SAFETY: every message of these actors has a kind; those of the engine about a connector an endpoint.
        const { kind, endpoint } = message as unknown as Said;
        return this.#say(endpoint === undefined ? `${id} ${kind}` : `${id} ${kind} ${endpoint}`) as R;
      },
      stop: async () => {
        this.#notices.delete(id);
        this.#say(`${id} stop`);
      },
    };
  }

  notify(id: string, notice: unknown): void {
    // SAFETY: the test sends notices of the actor's messages.ts.
    this.#notices.get(id)?.(notice as never);
  }

  die(id: ActorId | string, error: unknown): void {
    this.onSupervision?.({ kind: 'thread exited', thread: 'x', actors: [actorId(id)], error });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }

  #say(line: string): unknown {
    this.log.push(line);
    const answer = this.answers.get(line);
    if (answer instanceof Error) throw answer;
    if (line === 'engine progress') return { steps: 3, completedStep: 3, processedRecords: 0, completedRecords: 0 };
    if (line.endsWith(' replay points')) return [];
    if (line.endsWith(' errors')) return { parseErrors: [], transportErrors: [], encodeErrors: [] };
    return answer;
  }
}
