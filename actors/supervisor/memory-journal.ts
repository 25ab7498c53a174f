// The lifecycle journal of a pipeline that has no data folder: what it remembers lasts as long as the process.
import type { ConnectorMark, LifecycleJournal, PositionMark } from '../lifecycle-journal.ts';

export function memoryJournal(): LifecycleJournal {
  const marks = new Map<string, ConnectorMark>();
  const positions = new Map<string, PositionMark>();
  return {
    marks: async () => [...marks.values()],
    putMark: async (mark) => {
      marks.set(mark.connector, mark);
    },
    removeMark: async (connector) => {
      marks.delete(connector);
    },
    positions: async () => [...positions.values()],
    putPositions: async (reached) => {
      for (const position of reached) positions.set(position.connector, position);
    },
  };
}
