// A circuit as a picture: operators as boxes from the tables (left) to the views (right), the hotter the redder.
//
// Pure: rows of EXPLAIN ANALYZE in, SVG text out; circuit-layout.ts says where everything stands. The colour is the share of the time of
// all operators, which is written in the box as well. What is too long for its box is cut there, and whole under the pointer.
import { box, layOut, type Point, type Segment } from './circuit-layout.ts';

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

const margin = 16;
const top = 68;
const lettersMax = 44;

export function circuitSvg(operators: readonly ProfiledOperator[], title: string): string {
  const { places, segments, ...size } = layOut(operators);
  const width = Math.max(size.width + 2 * margin, 560);
  const height = top + size.height + margin;
  const micros = operators.reduce((sum, operator) => sum + operator.micros, 0);
  const rowsOf = new Map(operators.map(({ id, rowsOut }) => [id, rowsOut]));
  const edges = segments.map((segment) => edge(segment, rowsOf.get(segment.source) ?? 0));
  const boxes = operators.map((operator) => {
    return drawn(operator, places.get(operator.id) ?? { x: 0, y: 0 }, Math.max(1, micros));
  });
  const legend = `${(micros / 1000).toFixed(1)} ms in all; the redder an operator, the more of them are its own; the wider a line, the more rows went there`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="${margin}" y="26" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${margin}" y="46" fill="#555555">${legend}</text>`,
    `<g transform="translate(${margin} ${top})">`,
    ...edges,
    ...boxes,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawn(operator: ProfiledOperator, { x, y }: Point, total: number): string {
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
    return `<text x="8" y="${16 + i * 14}"${weight}>${escaped(cut(line))}</text>`;
  });
  return [
    `<g><title>${escaped(operator.detail)}</title>`,
    `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="5" fill="hsl(12, 90%, ${light}%)" stroke="#555555"/>`,
    // An inner picture cuts what is wider than the box: letters differ in width.
    `<svg x="${x}" y="${y}" width="${box.width - 4}" height="${box.height}">`,
    ...texts,
    '</svg></g>',
  ].join('');
}

function edge({ from, to }: Segment, rows: number): string {
  const middle = (from.x + to.x) / 2;
  const width = Math.max(1, Math.min(6, Math.log10(rows + 1)));
  const way = from.y === to.y ? `H ${to.x}` : `C ${middle} ${from.y}, ${middle} ${to.y}, ${to.x} ${to.y}`;
  return `<path d="M ${from.x} ${from.y} ${way}" fill="none" stroke="#999999" stroke-width="${width.toFixed(1)}"/>`;
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
