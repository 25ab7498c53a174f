// The journal of connector lifecycles of one pipeline, kept in the store (actors/lifecycle-journal.ts says what it is).
import type { LifecycleJournal } from '../../lifecycle-journal.ts';
import type { Store } from '../../store/messages.ts';

export function storeJournal(store: Store, pipeline: string): LifecycleJournal {
  return {
    marks: () => store.connectorMarks(pipeline),
    putMark: (mark) => store.putConnectorMark(pipeline, mark),
    removeMark: (connector) => store.removeConnectorMark(pipeline, connector),
    positions: () => store.positions(pipeline),
    putPositions: (positions) => store.putPositions(pipeline, positions),
  };
}
