// What a window function is called and which rows it counts: the one list that binding, planning and computing agree on.
//
// Types only: what a call means is decided by binding (sql/bind-window-call.ts) and computed by operators/window-results.ts.

/** How a window function is computed over the sorted rows of a partition. */
export type WindowFunction =
  | 'row_number'
  | 'rank'
  | 'dense_rank'
  | 'lag'
  | 'lead'
  | 'first_value'
  | 'last_value'
  | 'nth_value'
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max';

/**
 * Where a frame begins or ends. `by` counts rows, or groups of equal keys, or is in the stored units of the order key; negative:
 * before.
 */
export type FrameBound =
  | { readonly kind: 'unbounded' }
  | { readonly kind: 'current' }
  | { readonly kind: 'offset'; readonly by: number | bigint };

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
}
