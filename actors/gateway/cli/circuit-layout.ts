// Where the operators of a circuit stand in a picture, and how the lines between them run.
//
// An operator stands one column behind the last of its inputs. A line that passes columns has a lane of its own in each of them, so that
// none runs behind a box and seems to end there; lines from one operator share their lanes. Within a column everything stands in
// the order of what it comes from, which keeps most lines from crossing. Pure.

export interface LaidOperator {
  readonly id: number;
  /** Stand before those that read them. */
  readonly inputs: readonly number[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A piece of a line: a bend between two columns, or straight through one. */
export interface Segment {
  readonly source: number;
  readonly from: Point;
  readonly to: Point;
}

export interface CircuitLayout {
  /** The upper left corner of each operator. */
  readonly places: ReadonlyMap<number, Point>;
  readonly segments: readonly Segment[];
  readonly width: number;
  readonly height: number;
}

export const box = { width: 220, height: 82, gapX: 60, gapY: 18 } as const;
const lane = { height: 6, gapY: 12 } as const;

/** What stands in a column: an operator, or the lane of the lines from one. */
interface Item {
  readonly kind: 'box' | 'lane';
  readonly id: number;
}

export function layOut(operators: readonly LaidOperator[]): CircuitLayout {
  const columnOf = columnsOf(operators);
  const columns = itemsOf(operators, columnOf);
  const places = new Map<number, Point>();
  /** The height at which the lines from an operator enter the column behind the present one. */
  let exits = new Map<number, number>();
  const segments: Segment[] = [];
  const inputsOf = new Map(operators.map(({ id, inputs }) => [id, inputs]));
  let height = 0;
  columns.forEach((items, column) => {
    const x = column * (box.width + box.gapX);
    const sourcesOf = ({ kind, id }: Item): readonly number[] => (kind === 'lane' ? [id] : (inputsOf.get(id) ?? []));
    const wish = (item: Item): number => {
      const heights = sourcesOf(item).flatMap((source) => exits.get(source) ?? []);
      return heights.length === 0 ? Number.MAX_VALUE : heights.reduce((sum, y) => sum + y, 0) / heights.length;
    };
    const ordered = items.map((item) => ({ item, at: wish(item) })).toSorted((a, b) => a.at - b.at);
    const next = new Map<number, number>();
    let y = 0;
    for (const { item } of ordered) {
      const size = item.kind === 'box' ? box : lane;
      const middle = y + size.height / 2;
      for (const source of new Set(sourcesOf(item))) {
        const from = exits.get(source);
        if (from === undefined) continue;
        segments.push({ source, from: { x: x - box.gapX, y: from }, to: { x, y: middle } });
      }
      if (item.kind === 'box') places.set(item.id, { x, y });
      else {
        const [from, to] = [x, x + box.width].map((end) => ({ x: end, y: middle }));
        if (from !== undefined && to !== undefined) segments.push({ source: item.id, from, to });
      }
      next.set(item.id, middle);
      y += size.height + size.gapY;
    }
    height = Math.max(height, y);
    exits = next;
  });
  const width = Math.max(1, columns.length) * (box.width + box.gapX) - box.gapX;
  return { places, segments, width, height };
}

/** How many operators there are at most between one and the tables. */
function columnsOf(operators: readonly LaidOperator[]): ReadonlyMap<number, number> {
  const columns = new Map<number, number>();
  for (const { id, inputs } of operators) {
    columns.set(
      id,
      inputs.reduce((most, input) => Math.max(most, (columns.get(input) ?? 0) + 1), 0),
    );
  }
  return columns;
}

/** Column by column the operators, and a lane for each whose lines go farther than the next column. */
function itemsOf(
  operators: readonly LaidOperator[],
  columnOf: ReadonlyMap<number, number>,
): readonly (readonly Item[])[] {
  const columns: Item[][] = [];
  const reaches = new Map<number, number>();
  for (const { id, inputs } of operators) {
    const column = columnOf.get(id) ?? 0;
    while (columns.length <= column) columns.push([]);
    columns[column]?.push({ kind: 'box', id });
    for (const input of inputs) reaches.set(input, Math.max(reaches.get(input) ?? 0, column));
  }
  for (const [id, reach] of reaches) {
    for (let column = (columnOf.get(id) ?? 0) + 1; column < reach; column++)
      columns[column]?.push({ kind: 'lane', id });
  }
  return columns;
}
