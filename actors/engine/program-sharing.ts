// How much of a program several workers could compute together, and what of it one has to compute alone, with the place and the reason:
// for the log of a start, and for those who check a program before it runs.
//
// It follows from the plan, which is made for it and thrown away; nothing is computed and no thread is started.
import { formatPlace } from '../../runtime/errors.ts';
import type { GatheredRows } from './circuit/circuit.ts';
import { planProgram } from './plan/planner.ts';
import type { BoundProgram } from './sql/bound.ts';

export interface ProgramSharing {
  readonly isShared: boolean;
  /** What worker 0 computes alone, a line for each: place, view, reason. */
  readonly alone: readonly string[];
}

export function sharingOf(program: BoundProgram, workers: number, onError: 'stop' | 'skip' = 'stop'): ProgramSharing {
  const nobody = { worker: 0, workers, send: (): void => {}, receive: (): [] => [] };
  const circuit = planProgram(program, { onError, link: nobody });
  const alone = circuit.gathered.map((gathered): string => {
    const view = program.views.find(({ relation }) => relation.name === gathered.view);
    const place = formatPlace(view?.source.place);
    return `${place === '' ? '' : `${place}: `}${gathered.view}: ${reasonOf(gathered)}`;
  });
  return { isShared: circuit.sharedNodes > 0, alone: [...new Set(alone)] };
}

function reasonOf({ operator, because }: GatheredRows): string {
  if (because === 'unhashable keys')
    return `${operator} by nothing but REAL or DOUBLE, of which equal values may differ in their bits`;
  if (because === 'no keys') return `${operator} of all rows, without a key to divide them by`;
  switch (operator) {
    case 'top':
      return 'LIMIT or OFFSET of all rows; those of each key would be ROW_NUMBER() OVER (PARTITION BY ...) <= n';
    case 'recursion':
      return 'a recursion, which has to see all rows';
    default:
      return `${operator}, which has to see all rows`;
  }
}
