// What a workload is, and how its figures are written: the words that every file of bench/workloads is made of.
//
// A workload names its contenders, ours first, and says what their runs come to. A contender is a script of this folder, or a
// function; both run in a process of their own, in turn (run.ts). README.md shows how to add one.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noisePercent, pairedRatios, spread } from '../actors/gateway/bench/statistics.ts';
import type { Chart } from '../actors/gateway/bench/svg-chart.ts';

/** What one run has come to. */
export interface Measured {
  readonly seconds: number;
  readonly rows: number;
  /** What was computed, so that a fast wrong result is none. */
  readonly checksum: string;
  readonly [extra: string]: unknown;
}

export type Contender =
  | {
      readonly name: string;
      /** A script and its arguments; the last line that it prints is JSON. */
      readonly command: readonly string[];
      /** Default: the line is what was measured. */
      readonly read?: (line: unknown) => Measured;
    }
  | {
      readonly name: string;
      /** Called in the process that is measured. */
      readonly run: () => Measured | Promise<Measured>;
    };

export interface Figures {
  /** For a person, and for docs/benchmarks.md. */
  readonly lines: readonly string[];
  readonly panels?: Chart['panels'];
}

/** Runs of each contender, in the order of the contenders. */
export type Runs = readonly (readonly Measured[])[];

export interface Workload {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** What every run has to have computed; null: what the first one has. */
  readonly checksum: string | null;
  readonly figures: (runs: Runs) => Figures;
}

/** By name, made when they are chosen. */
export type Workloads = Readonly<Record<string, () => Workload>>;

const here = dirname(fileURLToPath(import.meta.url));

export function script(name: string, ...args: readonly (string | number)[]): readonly string[] {
  return [join(here, `${name}.js`), ...args.map(String)];
}

/** Contenders of different sizes are checked one by one; afterwards all count as equal. */
export function expectChecksum(measured: Measured, expected: string): Measured {
  if (measured.checksum !== expected) throw new Error(`computed "${measured.checksum}", expected "${expected}"`);
  return { ...measured, checksum: 'as expected' };
}

/** SAFETY: the scripts of this folder print these members. */
export const readMeasured = (line: unknown): Measured => line as Measured;

export function medianOf(runs: readonly Measured[], key: string): number {
  return spread(runs.map((run) => Number(run[key]))).median;
}

/** Rows a second of each contender with range and noise, and how many times a rival's ours are, pair by pair. */
export function ratioFigures(names: readonly string[], runs: Runs): Figures {
  const rates = runs.map((own) => own.map((run) => run.rows / run.seconds));
  const lines = rates.map((own, i) => `  ${(names[i] ?? '').padEnd(14)} ${rateText(own)}`);
  const [ours = [], ...rivals] = rates;
  rivals.forEach((rival, i) => {
    const { min, median, max } = pairedRatios(ours, rival);
    lines.push(`  ${median.toFixed(2)} times ${names[i + 1] ?? ''} (pairs ${min.toFixed(2)}–${max.toFixed(2)})`);
  });
  return { lines };
}

function rateText(rates: readonly number[]): string {
  const { min, median, max } = spread(rates);
  const [divisor, unit] = median >= 1e5 ? [1e6, 'M rows/s'] : [1e3, 'thousand rows/s'];
  const text = (rate: number): string => (rate / divisor).toFixed(2);
  const noise = rates.length < 2 ? '' : `, A/A noise ${noisePercent(rates).toFixed(1)} %`;
  return `${text(median)} ${unit} (${text(min)}–${text(max)}${noise})`;
}

/** A table in Markdown. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}
