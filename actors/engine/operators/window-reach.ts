// How far a changed row reaches: whose results it may change, and which rows a result reads.
//
//   a result reads     `rowsBefore` rows before its own and `rowsAfter` behind it; rows whose order key is less than `keysBefore` before its
//                      own, or `keysAfter` behind it, or equal; as many groups of equal keys; and, where a call runs from the first row on, totals of all before those
//   a change reaches   the rows that read it: the other way round, and to the end of the partition where a call runs
// Known of the calls alone. null: some call has to see the whole partition.
import type { FrameBound, WindowFunction } from '../sql/window-function.ts';
import type { RangeKey } from './window-frames.ts';
import { isFloat, type WindowColumn } from './window-results.ts';

type Distance = number | bigint;

export interface Reach {
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  /** In units of the order key; null: no frame is measured by it. */
  readonly keysBefore: Distance | null;
  readonly keysAfter: Distance | null;
  /** In groups of rows whose order keys are equal. */
  readonly groupsBefore: number;
  readonly groupsAfter: number;
  /** Whether rows of equal order keys are read together. */
  readonly peers: boolean;
  /** Whether a call counts from the first row of the partition on. */
  readonly runs: boolean;
}

const itself: Reach = {
  rowsBefore: 0,
  rowsAfter: 0,
  keysBefore: null,
  keysAfter: null,
  groupsBefore: 0,
  groupsAfter: 0,
  peers: false,
  runs: false,
};

export function reachOf(calls: readonly WindowColumn[], rangeKey: RangeKey | null): Reach | null {
  let all = itself;
  for (const call of calls) {
    const reach = reachOfCall(call);
    if (reach === null) return null;
    all = both(all, reach);
  }
  // Not a number is as far from every number as it is near.
  return all.keysBefore !== null && rangeKey !== null && isFloat(rangeKey.place) ? null : all;
}

/** Whether a call is computed from totals of what lies before the rows that are looked at. */
export function isRunning({ function: name, frame, operand }: WindowColumn): boolean {
  if (isRank(name)) return true;
  if (frame.start.kind !== 'unbounded') return false;
  if (keepsRecord(name) || name === 'count') return true;
  if (name !== 'sum' && name !== 'avg') return false;
  // A sum of floating-point numbers is that of its rows one after the other; of long decimals a total may not fit.
  return operand !== null && !isFloat(operand) && operand.storage !== 'i128';
}

/** Whether a call tells of the place of a row alone. */
export function isRank(name: WindowFunction): boolean {
  return name === 'row_number' || name === 'rank' || name === 'dense_rank';
}

/** Whether what lies before is told by one of its records. */
export function keepsRecord(name: WindowFunction): boolean {
  return name === 'first_value' || name === 'min' || name === 'max';
}

function reachOfCall(call: WindowColumn): Reach | null {
  const { function: name, offset, ignoreNulls } = call;
  switch (name) {
    case 'row_number':
      return { ...itself, runs: true };
    case 'rank':
    case 'dense_rank':
      return { ...itself, peers: true, runs: true };
    case 'lag':
    case 'lead': {
      if (ignoreNulls) return null;
      const ahead = name === 'lead' ? offset : -offset;
      return { ...itself, rowsBefore: Math.max(0, -ahead), rowsAfter: Math.max(0, ahead) };
    }
    default:
      return reachOfFrame(call);
  }
}

function reachOfFrame(call: WindowColumn): Reach | null {
  const { frame, function: name, ignoreNulls } = call;
  const { unit, start, end } = frame;
  if (end.kind === 'unbounded') return null;
  const runs = isRunning(call);
  // The last of a frame is found at its end, wherever it began.
  const beginsAnywhere = start.kind === 'unbounded' && (runs || (name === 'last_value' && !ignoreNulls));
  if (start.kind === 'unbounded' && !beginsAnywhere) return null;
  const [begin, finish] = [distanceOf(start), distanceOf(end)];
  const before = farther(0, farther(-begin, -finish)) ?? 0;
  const after = farther(0, farther(begin, finish)) ?? 0;
  if (unit === 'rows') return { ...itself, rowsBefore: Number(before), rowsAfter: Number(after), runs };
  const goesByKey = start.kind === 'offset' || end.kind === 'offset';
  if (!goesByKey) return { ...itself, peers: true, runs };
  if (unit === 'groups')
    return { ...itself, groupsBefore: Number(before), groupsAfter: Number(after), peers: true, runs };
  return { ...itself, keysBefore: before, keysAfter: after, peers: true, runs };
}

function distanceOf(bound: FrameBound): Distance {
  return bound.kind === 'offset' ? bound.by : 0;
}

function both(a: Reach, b: Reach): Reach {
  return {
    rowsBefore: Math.max(a.rowsBefore, b.rowsBefore),
    rowsAfter: Math.max(a.rowsAfter, b.rowsAfter),
    keysBefore: farther(a.keysBefore, b.keysBefore),
    keysAfter: farther(a.keysAfter, b.keysAfter),
    groupsBefore: Math.max(a.groupsBefore, b.groupsBefore),
    groupsAfter: Math.max(a.groupsAfter, b.groupsAfter),
    peers: a.peers || b.peers,
    runs: a.runs || b.runs,
  };
}

function farther(a: Distance | null, b: Distance | null): Distance | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? b : a;
}
