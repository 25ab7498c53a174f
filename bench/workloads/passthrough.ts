// Pipelines without SQL, counted in the file at the far end; beside themselves, which shows the noise.
import { medianOf, ratioFigures, script, type Workload, type Workloads } from '../workload.ts';

const lines = 2_000_000;

export const workloads: Workloads = {
  'passthrough-file': () => passthrough('file-file', 'a file of lines of 100 bytes copied'),
  'passthrough-json': () => passthrough('file-json', 'lines of 100 bytes to whole records (opencdc/json)'),
  'passthrough-generator': () => passthrough('generator-file', 'made-up raw records of three fields to lines'),
};

function passthrough(kind: string, what: string): Workload {
  const command = script('passthrough-run', kind, lines);
  return {
    title: `${what}, ${lines / 1e6} M lines, counted in the file at the far end`,
    checksum: `${lines} lines`,
    contenders: [
      { name: 'Millrace', command },
      { name: 'again', command },
    ],
    figures: (runs) => ({
      lines: [
        ...ratioFigures(['Millrace', 'itself'], runs).lines,
        `  ${(medianOf(runs.flat(), 'cpuSeconds') / (lines / 1e6)).toFixed(2)} s of CPU for a million records, all threads together`,
        '  Conduit, as its authors publish it (benchi/METHODOLOGY.md, counted in a file, on a machine of their own): 338,200 records/s',
        '  in the median for its default engine, 252,954 for its second one; it is not run beside',
      ],
    }),
  };
}
