// Charts as SVG: where bars end and points lie, which texts they carry.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Chart, chartSvg, shortNumber } from '../../../../actors/gateway/bench/svg-chart.ts';

const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect x="170"[^>]* width="([\d.]+)"/g)].map(([, w]) => Number(w));

test('bars are as long as their values, the range is a whisker, and what is missing has no bar', () => {
  const chart: Chart = {
    title: 'a <b> & "c"',
    panels: [
      {
        kind: 'bars',
        title: 'speed',
        unit: 'rows/s',
        series: ['ours', 'theirs'],
        groups: [
          { name: 'q0', values: [{ value: 100, min: 80, max: 100 }, { value: 50 }] },
          { name: 'q1', values: [{ value: 25 }, null] },
        ],
      },
    ],
  };
  const svg = chartSvg(chart);
  const [full = 0, half, quarter, ...more] = widths(svg).filter((width) => width > 10);
  assert.equal([half, quarter, more], [full / 2, full / 4, []]);
  assert.is([...svg.matchAll(/ v 8 M /g)].length, 1, 'one range');
  assert.match(svg, 'a &lt;b&gt; &amp; "c"');
  for (const name of ['q0', 'q1', 'ours', 'theirs']) assert.ok(svg.includes(`>${name}</text>`), name);
  assert.is(chartSvg(chart), svg, 'the same picture for the same data');
});

test('lines lie on logarithmic axes: ten times as much is as far everywhere', () => {
  const svg = chartSvg({
    title: 't',
    panels: [
      {
        kind: 'lines',
        title: 'cost',
        unit: 'ms',
        x: 'rows',
        series: [{ name: 'join', points: [1e4, 1e5, 1e6].map((x) => ({ x, y: 2 })) }],
      },
    ],
  });
  const points = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  const [[x0 = 0, y0] = [], [x1 = 0, y1] = [], [x2 = 0, y2] = []] = points;
  assert.ok(x1 - x0 > 100 && Math.abs(x1 - x0 - (x2 - x1)) < 0.2);
  assert.equal([y1, y2], [y0, y0]);
});

test('numbers in charts are short', () => {
  assert.equal([0, 7, 7.123, 1234, 12_345, 1_234_567, 2e9].map(shortNumber), [
    '0',
    '7',
    '7.12',
    '1234',
    '12.3 k',
    '1.23 M',
    '2 G',
  ]);
});

test.run();
