// Charts of a benchmark as SVG: panels of bars, and of lines over logarithmic axes, one below the other. Pure.
//
// What a chart shows is data (`Chart`), which harnesses keep in their JSON: the same JSON gives the same picture. Texts are
// escaped; colours tell series apart, and a legend names them. No script, no font that has to be loaded.
export interface BarPanel {
  readonly kind: 'bars';
  readonly title: string;
  readonly unit: string;
  readonly series: readonly string[];
  /** For each group a value of each series, null where there is none; the range is drawn as a whisker. */
  readonly groups: readonly {
    readonly name: string;
    readonly values: readonly (BarValue | null)[];
  }[];
  /** Drawn across, such as what is promised. */
  readonly line?: { readonly name: string; readonly value: number };
}

export interface BarValue {
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
}

export interface LinePanel {
  readonly kind: 'lines';
  readonly title: string;
  readonly unit: string;
  readonly x: string;
  /** Both axes are logarithmic: values above 0. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

export interface Chart {
  readonly title: string;
  readonly panels: readonly (BarPanel | LinePanel)[];
}

const colours = ['#2f6fb0', '#d9772b', '#3f9a5f', '#a04a9c', '#8a7b2e', '#5b6673'];
const place = { width: 900, left: 170, right: 130, barHeight: 15, barGap: 3, groupGap: 9, linesHeight: 260 } as const;
const titleLettersMax = 88;
const plotWidth = place.width - place.left - place.right;

export function chartSvg(chart: Chart): string {
  const parts: string[] = [];
  let y = 44;
  for (const panel of chart.panels) {
    const drawn = panel.kind === 'bars' ? bars(panel, y) : lines(panel, y);
    parts.push(...drawn.parts);
    y = drawn.bottom + 26;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${place.width} ${y}" width="${place.width}" height="${y}" font-family="sans-serif" font-size="11" fill="#222222">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    text(16, 26, chart.title, `font-size="16" font-weight="bold"${squeezed(chart.title)}`),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** A title that would run out of the picture is made as narrow as the picture. */
function squeezed(title: string): string {
  return title.length <= titleLettersMax ? '' : ` textLength="${place.width - 32}" lengthAdjust="spacingAndGlyphs"`;
}

interface Drawn {
  readonly parts: readonly string[];
  readonly bottom: number;
}

function bars(panel: BarPanel, top: number): Drawn {
  const parts = heading(panel.title, panel.unit, panel.series, top);
  const values = panel.groups.flatMap(({ values: own }) => own.flatMap((one) => (one === null ? [] : [one])));
  const most = Math.max(panel.line?.value ?? 0, ...values.map(({ value, max = value }) => max), Number.MIN_VALUE);
  const at = (value: number): number => place.left + (Math.max(0, value) / most) * plotWidth;
  const begun = top + (panel.series.length > 1 ? 40 : 24);
  let y = begun;
  for (const group of panel.groups) {
    const height = panel.series.length * (place.barHeight + place.barGap);
    parts.push(text(place.left - 8, y + height / 2 + 2, group.name, 'text-anchor="end"'));
    group.values.forEach((bar, i) => {
      if (bar !== null) parts.push(...drawnBar(bar, i, y, at));
      y += place.barHeight + place.barGap;
    });
    y += place.groupGap;
  }
  if (panel.line !== undefined) {
    const x = at(panel.line.value).toFixed(1);
    parts.push(
      `<path d="M ${x} ${begun - 4} V ${y}" stroke="#b00020" stroke-dasharray="4 3"/>`,
      text(at(panel.line.value), y + 10, panel.line.name, 'text-anchor="middle" fill="#b00020"'),
    );
    y += 14;
  }
  parts.push(`<path d="M ${place.left} ${begun - 4} V ${y - place.groupGap + 2}" stroke="#999999"/>`);
  return { parts, bottom: y };
}

function drawnBar(bar: BarValue, series: number, y: number, at: (value: number) => number): string[] {
  const width = Math.max(0.5, at(bar.value) - place.left).toFixed(1);
  const middle = y + place.barHeight / 2;
  const { min = bar.value, max = bar.value } = bar;
  const parts = [
    `<rect x="${place.left}" y="${y}" width="${width}" height="${place.barHeight}" fill="${colourOf(series)}"/>`,
  ];
  if (max > min) {
    const [from, to] = [at(min).toFixed(1), at(max).toFixed(1)];
    parts.push(
      `<path d="M ${from} ${middle} H ${to} M ${from} ${middle - 4} v 8 M ${to} ${middle - 4} v 8" stroke="#222222" fill="none"/>`,
    );
  }
  parts.push(text(at(Math.max(max, bar.value)) + 6, middle + 4, shortNumber(bar.value)));
  return parts;
}

function lines(panel: LinePanel, top: number): Drawn {
  const parts = heading(
    panel.title,
    panel.unit,
    panel.series.map(({ name }) => name),
    top,
  );
  const points = panel.series.flatMap((series) => series.points);
  const begun = top + 44;
  const bottom = begun + place.linesHeight;
  const x = axis(
    points.map((point) => point.x),
    place.left,
    place.left + plotWidth,
  );
  const y = axis(
    points.map((point) => point.y),
    bottom,
    begun,
  );
  for (const tick of x.ticks) {
    const at = x.at(tick).toFixed(1);
    parts.push(`<path d="M ${at} ${begun} V ${bottom}" stroke="#e4e4e4"/>`);
    parts.push(text(x.at(tick), bottom + 15, shortNumber(tick), 'text-anchor="middle"'));
  }
  for (const tick of y.ticks) {
    parts.push(`<path d="M ${place.left} ${y.at(tick).toFixed(1)} h ${plotWidth}" stroke="#e4e4e4"/>`);
    parts.push(text(place.left - 8, y.at(tick) + 4, shortNumber(tick), 'text-anchor="end"'));
  }
  panel.series.forEach((series, i) => {
    const path = series.points.map(
      (point, n) => `${n === 0 ? 'M' : 'L'} ${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)}`,
    );
    parts.push(`<path d="${path.join(' ')}" fill="none" stroke="${colourOf(i)}" stroke-width="2"/>`);
    for (const point of series.points) {
      parts.push(
        `<circle cx="${x.at(point.x).toFixed(1)}" cy="${y.at(point.y).toFixed(1)}" r="3" fill="${colourOf(i)}"/>`,
      );
    }
  });
  parts.push(text(place.left + plotWidth / 2, bottom + 30, panel.x, 'text-anchor="middle"'));
  return { parts, bottom: bottom + 34 };
}

/** A logarithmic axis over whole powers of ten. */
function axis(
  values: readonly number[],
  from: number,
  to: number,
): { at(value: number): number; readonly ticks: readonly number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)),
  };
}

function heading(title: string, unit: string, series: readonly string[], top: number): string[] {
  const parts = [text(16, top + 10, `${title} (${unit})`, 'font-size="13" font-weight="bold"')];
  if (series.length < 2) return parts;
  let x: number = place.left;
  series.forEach((name, i) => {
    parts.push(`<rect x="${x}" y="${top + 18}" width="10" height="10" fill="${colourOf(i)}"/>`);
    parts.push(text(x + 15, top + 27, name));
    x += 40 + name.length * 6.5;
  });
  return parts;
}

function colourOf(series: number): string {
  return colours[series % colours.length] ?? '#000000';
}

/** 1234567 as 1.23 M. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  const [divisor, sign] = size >= 1e9 ? [1e9, ' G'] : size >= 1e6 ? [1e6, ' M'] : size >= 1e4 ? [1e3, ' k'] : [1, ''];
  const scaled = value / divisor;
  const places = Number.isInteger(scaled) || Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  return `${scaled.toFixed(places)}${sign}`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes === '' ? '' : ` ${attributes}`}>${escaped(content)}</text>`;
}

/** As text of XML, which has no control characters. */
function escaped(content: string): string {
  return content
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
