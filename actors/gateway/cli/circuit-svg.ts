// A circuit as a picture: operators as boxes from the tables (left) to the views (right), the hotter the redder.
//
// Pure: rows of EXPLAIN ANALYZE in, SVG text out. An operator stands one column behind the last of its inputs; within a column in
// the order of the circuit. The colour is the share of the time of all operators, which is written in the box as well.
export interface ProfiledOperator {
  readonly id: number;
  readonly operator: string;
  readonly detail: string;
  readonly relation: string;
  readonly inputs: readonly number[];
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly micros: number;
  readonly stateRows: number;
  readonly stateBytes: number;
}

const box = { width: 220, height: 82, gapX: 60, gapY: 18, margin: 16 } as const;
const lettersMax = 34;

export function circuitSvg(operators: readonly ProfiledOperator[], title: string): string {
  const columns = columnsOf(operators);
  const places = new Map<number, { readonly x: number; readonly y: number }>();
  const heights: number[] = [];
  for (const { id } of operators) {
    const column = columns.get(id) ?? 0;
    const row = heights[column] ?? 0;
    heights[column] = row + 1;
    const x = box.margin + column * (box.width + box.gapX);
    places.set(id, { x, y: 40 + box.margin + row * (box.height + box.gapY) });
  }
  const width = box.margin * 2 + Math.max(1, heights.length) * (box.width + box.gapX) - box.gapX;
  const height = 40 + box.margin * 2 + Math.max(1, ...heights) * (box.height + box.gapY);
  const total = Math.max(
    1,
    operators.reduce((sum, { micros }) => sum + micros, 0),
  );
  const edges = operators.flatMap(({ id, inputs }) =>
    inputs.map((input) => {
      const [from, to] = [places.get(input), places.get(id)];
      const rows = operators.find((operator) => operator.id === input)?.rowsOut ?? 0;
      return from === undefined || to === undefined ? '' : edge(from, to, rows);
    }),
  );
  const boxes = operators.map((operator) => drawn(operator, places.get(operator.id) ?? { x: 0, y: 0 }, total));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="${box.margin}" y="26" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...edges,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

/** How many operators there are at most between one and the tables. Inputs stand before those that read them. */
function columnsOf(operators: readonly ProfiledOperator[]): ReadonlyMap<number, number> {
  const columns = new Map<number, number>();
  for (const { id, inputs } of operators) {
    columns.set(
      id,
      inputs.reduce((most, input) => Math.max(most, (columns.get(input) ?? 0) + 1), 0),
    );
  }
  return columns;
}

function drawn(operator: ProfiledOperator, { x, y }: { x: number; y: number }, total: number): string {
  const share = operator.micros / total;
  const light = Math.round(97 - 42 * Math.sqrt(share));
  const state =
    operator.stateBytes === 0 ? 'no state' : `${count(operator.stateRows)} rows, ${bytes(operator.stateBytes)}`;
  const lines = [
    `${operator.id} ${operator.operator}${operator.relation === '' ? '' : ` · ${operator.relation}`}`,
    operator.detail,
    `${count(operator.rowsIn)} rows in, ${count(operator.rowsOut)} out`,
    `${(operator.micros / 1000).toFixed(1)} ms, ${(share * 100).toFixed(1)} %`,
    state,
  ];
  const texts = lines.map((line, i) => {
    const weight = i === 0 ? ' font-weight="bold"' : '';
    return `<text x="${x + 8}" y="${y + 16 + i * 14}"${weight}>${escaped(cut(line))}</text>`;
  });
  return [
    `<g><title>${escaped(operator.detail)}</title>`,
    `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="5" fill="hsl(12, 90%, ${light}%)" stroke="#555555"/>`,
    ...texts,
    '</g>',
  ].join('');
}

function edge(from: { x: number; y: number }, to: { x: number; y: number }, rows: number): string {
  const [x1, y1] = [from.x + box.width, from.y + box.height / 2];
  const [x2, y2] = [to.x, to.y + box.height / 2];
  const middle = (x1 + x2) / 2;
  const width = Math.max(1, Math.min(6, Math.log10(rows + 1)));
  return `<path d="M ${x1} ${y1} C ${middle} ${y1}, ${middle} ${y2}, ${x2} ${y2}" fill="none" stroke="#999999" stroke-width="${width.toFixed(1)}"/>`;
}

function cut(text: string): string {
  return text.length <= lettersMax ? text : `${text.slice(0, lettersMax - 1)}…`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function bytes(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`;
}

/** As text of XML, which has no control characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
