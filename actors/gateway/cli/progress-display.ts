// Progress of a run: a bar for each input, redrawn in place on a terminal; a plain line for each input now and then elsewhere.
// Shows rows, rows/s, bytes and the state (waiting, paused, running, throttled, ended, failed).

import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { InputConnectorStats } from '../../supervisor/messages.ts';
import { formatBytes, formatCount } from '../terminal/quantities.ts';

const barWidth = 24;
const redrawMs = 200;
const plainLineMs = 2000;
/** Bars that fit above the fold; further inputs are summed up in one line. */
const barsMax = 16;

/** What the parts of a line take besides the name: `waiting` with a blank, the bar and the figures, the figures, the rows alone. */
const stateColumns = 10;
const figuresColumns = 47;
const barsColumns = figuresColumns + barWidth + 3;
const rowsColumns = 19;

export interface ProgressOptions {
  readonly clock: Clock;
  /** Columns of the terminal as it is now, or null: plain lines, no control characters. */
  readonly terminalColumns: number | null;
  write(text: string): void;
  read(): Promise<readonly InputConnectorStats[]>;
}

/** What the last look at an input showed. */
interface Rate {
  readonly at: number;
  /** When it was first seen neither waiting nor paused. */
  readonly begun: number | null;
  readonly records: number;
  readonly state: string;
  readonly perSecond: number;
}

export class ProgressDisplay {
  readonly #options: ProgressOptions;
  readonly #started: number;
  #timer: Timer | null = null;
  /** The bars that are on the screen. */
  #lines: readonly string[] = [];
  #isReading = false;
  #plainStates = new Map<string, string>();
  #rates = new Map<string, Rate>();

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#started = options.clock.monotonic();
  }

  start(): void {
    const isTerminal = this.#options.terminalColumns !== null;
    this.#timer = this.#options.clock.every(isTerminal ? redrawMs : plainLineMs, () => void this.#tick());
  }

  /** A line for the user, above the bars that are on the screen. */
  say(text: string): void {
    if (this.#lines.length === 0) this.#options.write(text);
    else this.#options.write(`${this.#toTop()}\u001b[J${text}${this.#lines.join('')}`);
  }

  /** Draws once more, with the final numbers. */
  async finish(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#draw(await this.#options.read());
  }

  async #tick(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const inputs = await this.#options.read();
      if (this.#timer !== null) this.#draw(inputs);
    } catch {
      // The pipeline ended between two ticks; `finish` reports what there is.
    } finally {
      this.#isReading = false;
    }
  }

  #draw(inputs: readonly InputConnectorStats[]): void {
    const width = Math.max(0, ...inputs.map((input) => input.endpoint.length));
    if (this.#options.terminalColumns === null) this.#drawPlain(inputs, width);
    else this.#drawBars(inputs, width, this.#options.terminalColumns);
  }

  #drawBars(inputs: readonly InputConnectorStats[], width: number, columns: number): void {
    const shown = inputs.slice(0, barsMax);
    const lines = shown.map((input) => this.#bar(input, width, columns - 1));
    if (inputs.length > barsMax) lines.push(`… and ${inputs.length - barsMax} more inputs`);
    const top = this.#toTop();
    this.#lines = lines.map((line) => `\r\u001b[2K${line.slice(0, columns - 1)}\n`);
    this.#options.write(`${top}${this.#lines.join('')}`);
  }

  /** Moves the cursor to the first bar. */
  #toTop(): string {
    return this.#lines.length === 0 ? '' : `\u001b[${this.#lines.length}A\r`;
  }

  /** On a narrow terminal the bar goes first, then rate and bytes: the state stays in sight. */
  #bar(input: InputConnectorStats, width: number, columns: number): string {
    const forState = columns - width - stateColumns;
    if (forState >= barsColumns) return this.#line(input, width, true);
    if (forState >= figuresColumns) return this.#line(input, width, false);
    const name = input.endpoint.padEnd(width).slice(0, Math.max(8, columns - stateColumns - rowsColumns));
    return `${name} ${formatCount(input.totalRecords).padStart(11)} rows  ${stateText(input)}`;
  }

  /** An input that has not changed since its last line is left out. */
  #drawPlain(inputs: readonly InputConnectorStats[], width: number): void {
    for (const input of inputs) {
      const key = `${input.state} ${input.totalRecords}`;
      if (this.#plainStates.get(input.endpoint) === key) continue;
      this.#plainStates.set(input.endpoint, key);
      this.#options.write(`${this.#line(input, width, false)}\n`);
    }
  }

  #line(input: InputConnectorStats, width: number, withBar: boolean): string {
    const share = progressShare(input);
    const bar = withBar ? ` ${drawBar(share)}` : '';
    const percent = share === null ? '    ' : `${String(Math.floor(share * 100)).padStart(3)}%`;
    const rows = formatCount(input.totalRecords).padStart(11);
    const rate = `${formatCount(Math.round(this.#rate(input)))}/s`.padStart(12);
    const bytes = formatBytes(input.totalBytes).padStart(9);
    return `${input.endpoint.padEnd(width)}${bar} ${percent} ${rows} rows ${rate} ${bytes}  ${stateText(input)}`;
  }

  /** Rows a second since the last look; once it has ended, over the whole time it took. */
  #rate(input: InputConnectorStats): number {
    const now = this.#options.clock.monotonic();
    const last = this.#rates.get(input.endpoint);
    // Waiting for others is not its own time.
    const begun =
      last?.begun ?? (input.state === 'waiting' || input.state === 'paused' ? null : (last?.at ?? this.#started));
    const since =
      input.state === 'ended'
        ? { at: begun ?? this.#started, records: 0 }
        : (last ?? { at: this.#started, records: 0 });
    if (last !== undefined && input.totalRecords === last.records && input.state === last.state) return last.perSecond;
    const elapsed = now - since.at;
    const perSecond = elapsed > 0 ? ((input.totalRecords - since.records) / elapsed) * 1000 : 0;
    this.#rates.set(input.endpoint, { at: now, begun, records: input.totalRecords, state: input.state, perSecond });
    return perSecond;
  }
}

function stateText(input: InputConnectorStats): string {
  const waiting = input.waitingFor.length === 0 ? '' : ` for ${input.waitingFor.join(', ')}`;
  const errors = input.numParseErrors === 0 ? '' : `, ${formatCount(input.numParseErrors)} refused`;
  // Labels are the user's own texts.
  return `${input.state}${waiting}${errors}`.replaceAll(/\p{Cc}/gu, ' ');
}

function progressShare(input: InputConnectorStats): number | null {
  if (input.state === 'ended') return 1;
  if (input.recordsTotal !== null && input.recordsTotal > 0)
    return Math.min(1, input.totalRecords / input.recordsTotal);
  if (input.bytesTotal !== null && input.bytesTotal > 0) return Math.min(1, input.totalBytes / input.bytesTotal);
  return null;
}

function drawBar(share: number | null): string {
  const full = share === null ? 0 : Math.round(share * barWidth);
  return `[${'█'.repeat(full)}${'·'.repeat(barWidth - full)}]`;
}
