// The position of an input in a checkpoint: from where its source is opened again so that the next row is the one behind
// the last that has entered a step.
//
// As it is kept: null for the very beginning, else { source, skipRows }, where `source` is the source's own position (or
// null) and `skipRows` rows behind it have been taken already. Pure.
import type { Position } from '../../connectors/sdk/source.ts';
import type { ReplayPoint } from '../source/messages.ts';

export interface ReplayStart {
  readonly position: Position | null;
  readonly skipRows: number;
}

export const beginning: ReplayStart = { position: null, skipRows: 0 };

/** The start from which the row behind the first `records` rows of a run is the next. `points` has one at or before that. */
export function replayFrom(points: readonly ReplayPoint[], records: number): ReplayStart {
  let nearest: ReplayPoint = points[0] ?? { ...beginning, records: 0 };
  for (const point of points) if (point.records <= records) nearest = point;
  return { position: nearest.position, skipRows: nearest.skipRows + records - nearest.records };
}

export function encodeReplayStart({ position, skipRows }: ReplayStart): Position | null {
  return position === null && skipRows === 0 ? null : { source: position, skipRows };
}

/** @throws TypeError when the position was not made by `encodeReplayStart`. */
export function decodeReplayStart(kept: Position | null): ReplayStart {
  if (kept === null) return beginning;
  const { source, skipRows } = kept;
  if (typeof skipRows !== 'number' || typeof source !== 'object') throw new TypeError('no position of a checkpoint');
  // SAFETY: it is an object or null, and what the source itself has said.
  return { position: source as Position | null, skipRows };
}
