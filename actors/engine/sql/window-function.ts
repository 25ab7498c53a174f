// What a window function is called and which rows it counts: the one list that binding, planning and computing agree on.
//
// What a call means is decided by binding (sql/bind-window-call.ts) and computed by operators/window-results.ts.

export const ranks: readonly ['row_number', 'rank', 'dense_rank'] = ['row_number', 'rank', 'dense_rank'];
export const edges: readonly ['first_value', 'last_value'] = ['first_value', 'last_value'];
export const shares: readonly ['percent_rank', 'cume_dist', 'ntile'] = ['percent_rank', 'cume_dist', 'ntile'];
/** Functions that may leave NULLs out. */
export const skipping: readonly string[] = [...edges, 'nth_value', 'lag', 'lead'];
/** Functions that mean nothing without OVER. */
export const windowOnly: readonly string[] = [...ranks, ...shares, ...skipping];

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
