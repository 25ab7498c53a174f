// The inputs that a replay of dead letters is carried by: each is one of the relay's, made for a stretch of the queue and gone after it.
//
// Nothing of it is remembered: it is told of no lifecycle event that outlasts it, and how far it came is noted beside the file. When
// it fails for good the replay does, and the pipeline goes on.
import type { ConnectorContext, RelayContext } from './connector-context.ts';
import type { ConnectorRoster } from './connector-roster.ts';
import type { ReplayParts } from './dead-letter-replay.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';
import { memoryJournal } from './memory-journal.ts';
import { PositionKeeper } from './position-keeper.ts';
import type { RelayPipeline } from './supervisor-arguments.ts';

export interface ReplaySurroundings {
  readonly roster: ConnectorRoster;
  readonly context: ConnectorContext & { readonly relay: RelayContext };
  /** Resolves when everything of the input is settled. @throws what ends it */
  readonly ended: (endpoint: string, signal: AbortSignal) => Promise<void>;
  readonly onGone: (endpoint: string) => void;
}

export function replayParts(pipeline: RelayPipeline, surroundings: ReplaySurroundings): ReplayParts {
  const { roster, context, ended, onGone } = surroundings;
  const { id, deadLetterFile: path, processors, args } = pipeline;
  const { clock, log } = context;
  const queue = args.deadLetters.endpoint;
  return {
    id,
    path,
    isSource: (endpoint) => roster.inputs.some(({ connector }) => connector.endpoint === endpoint),
    isDestination: (endpoint) =>
      endpoint !== queue && roster.outputs.some(({ connector }) => connector.endpoint === endpoint),
    run: async (connector, route, signal) => {
      const { endpoint } = connector;
      const journal = memoryJournal();
      const relay: RelayContext = {
        ...context.relay,
        positions: new PositionKeeper(journal, clock, log),
        // What has come to the destinations is through with those of its source.
        processors: new Map([[endpoint, route.only === null ? (processors.get(route.source) ?? []) : []]]),
        onFatal: () => {},
      };
      const input = roster.addInput(connector, {
        ...context,
        lifecycle: new LifecycleKeeper(journal),
        relay,
        replay: route,
      });
      context.onChange();
      try {
        await ended(endpoint, signal);
      } finally {
        await input.stop(input.state === 'ended' ? 'keep' : 'discard');
        roster.forget('input', endpoint);
        onGone(endpoint);
        context.onChange();
      }
    },
  };
}
