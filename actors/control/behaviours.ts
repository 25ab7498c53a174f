// The composition root of a worker thread: which actors there are, by name, and what they share on one thread.
//
// Loaded once by each thread (runtime/actor/worker-entry.ts). What an actor is made of is loaded when the first of its
// kind is placed there: a thread that only reads files has no use for SQL, and loading is most of what a thread costs at
// its start. The decoding pool belongs to the thread: all sources that are placed on it share it.
import type { AnyBehaviour } from '../../runtime/actor/actor-loop.ts';
import type { destinationBehaviour } from '../destination/destination-actor.ts';
import type { destinationTrialBehaviour } from '../destination/destination-trial.ts';
import type { engineBehaviour } from '../engine/engine-actor.ts';
import type { relayBehaviour } from '../relay/relay-actor.ts';
import type { ExpectedInput } from '../source/messages.ts';
import type { sourceBehaviour } from '../source/source-actor.ts';
import type { sourceTrialBehaviour } from '../source/source-trial.ts';

export const behaviours: Readonly<Record<string, AnyBehaviour>> = {
  source: lazily<ReturnType<typeof sourceBehaviour>>(
    async () => {
      const { sourceBehaviour } = await import('../source/source-actor.ts');
      const { DecodePool } = await import('../source/decode-pool.ts');
      return sourceBehaviour(new DecodePool());
    },
    async (expected) => {
      const { loadAhead } = await import('../source/expected-inputs.ts');
      // SAFETY: supervisor-actor.ts says it, and nobody else does.
      await loadAhead((expected ?? []) as readonly ExpectedInput[]);
    },
  ),
  destination: lazily<ReturnType<typeof destinationBehaviour>>(async () => {
    const { destinationBehaviour } = await import('../destination/destination-actor.ts');
    return destinationBehaviour();
  }),
  engine: lazily<ReturnType<typeof engineBehaviour>>(async () => {
    const { engineBehaviour } = await import('../engine/engine-actor.ts');
    return engineBehaviour();
  }),
  'source trial': lazily<ReturnType<typeof sourceTrialBehaviour>>(async () => {
    const { sourceTrialBehaviour } = await import('../source/source-trial.ts');
    return sourceTrialBehaviour();
  }),
  'destination trial': lazily<ReturnType<typeof destinationTrialBehaviour>>(async () => {
    const { destinationTrialBehaviour } = await import('../destination/destination-trial.ts');
    return destinationTrialBehaviour();
  }),
  relay: lazily<ReturnType<typeof relayBehaviour>>(async () => {
    const { relayBehaviour } = await import('../relay/relay-actor.ts');
    return relayBehaviour();
  }),
};

/** Loads a behaviour once, when it is first asked for; `ahead`: what else can be loaded when it is known what is to come. */
function lazily<Known>(
  load: () => Promise<Known>,
  ahead: (expected: unknown) => Promise<void> = async () => {},
): AnyBehaviour {
  let loaded: Promise<AnyBehaviour> | null = null;
  const loadOnce = (): Promise<AnyBehaviour> => {
    // SAFETY: that arguments and messages fit is the contract of each messages.ts; the only caller that knows the name of a
    // behaviour is the supervisor, which is written against that contract.
    loaded ??= load() as Promise<AnyBehaviour>;
    return loaded;
  };
  const behaviour: AnyBehaviour = async (args, context) => await (await loadOnce())(args, context);
  const loadAhead = async (expected: unknown): Promise<void> => {
    await loadOnce();
    await ahead(expected);
  };
  return Object.assign(behaviour, { load: loadAhead });
}
