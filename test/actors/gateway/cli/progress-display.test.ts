// Bars on a terminal, seen through a small model of its screen: what stands there in the end, at every width.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProgressDisplay } from '../../../../actors/gateway/cli/progress-display.ts';
import type { InputConnectorStats } from '../../../../actors/supervisor/messages.ts';
import { systemClock } from '../../../../runtime/clock.ts';

const idle: InputConnectorStats = {
  direction: 'input',
  endpoint: 'users.users',
  relation: 'users',
  name: 'users',
  state: 'running',
  waitingFor: [],
  paused: false,
  stuck: false,
  error: null,
  restarts: 0,
  lastFailure: null,
  health: { status: 'ok', since: null, reason: '' },
  awaited: null,
  totalRecords: 0,
  totalBytes: 0,
  takenRecords: 0,
  bufferedRecords: 0,
  bufferedBytes: 0,
  numParseErrors: 0,
  numUnknownFields: 0,
  numTransportErrors: 0,
  inspectorDroppedRecords: 0,
  endOfInput: false,
  maxQueuedRecords: 1_000_000,
  maxQueuedBytes: 1 << 26,
  throttledMs: 0,
  bytesTotal: 1000,
  recordsTotal: null,
  parseErrors: [],
  transportErrors: [],
};

/** A terminal that understands what the display uses: line feed, carriage return, cursor up, erase line, erase below. */
class Screen {
  readonly lines: string[] = [''];
  row = 0;
  column = 0;

  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal.
    for (const [part, count, command] of text.matchAll(/\u001b\[(\d*)([A-Z])|[^\u001b]/gu)) {
      if (command === 'A') this.row -= Number(count);
      else if (command === 'K') this.lines[this.row] = '';
      else if (command === 'J') {
        this.lines.length = this.row + 1;
        this.lines[this.row] = (this.lines[this.row] ?? '').slice(0, this.column);
      } else if (part === '\r') this.column = 0;
      else if (part === '\n') this.#goTo(this.row + 1);
      else this.#put(part);
    }
  }

  #put(character: string): void {
    if (this.column === this.#columns) this.#goTo(this.row + 1);
    const line = (this.lines[this.row] ?? '').padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + character + line.slice(this.column + 1);
    this.column++;
  }

  #goTo(row: number): void {
    this.row = row;
    this.column = 0;
    this.lines[row] ??= '';
  }
}

interface Shown {
  readonly screen: Screen;
  readonly display: ProgressDisplay;
  inputs: readonly InputConnectorStats[];
}

function show(columns: number, inputs: readonly InputConnectorStats[]): Shown {
  const screen = new Screen(columns);
  const shown: Shown = {
    screen,
    inputs,
    display: new ProgressDisplay({
      clock: systemClock,
      terminalColumns: columns,
      write: (text) => screen.write(text),
      read: async () => shown.inputs,
    }),
  };
  return shown;
}

const orders = {
  ...idle,
  endpoint: 'orders.orders',
  state: 'waiting' as const,
  waitingFor: ['dimension'],
  bytesTotal: null,
};

test('bars are redrawn in place, what is said stands above them, the cursor ends below', async () => {
  const shown = show(120, [idle, orders]);
  await shown.display.finish();
  shown.display.say('warn: something\n');
  shown.inputs = [
    { ...idle, state: 'ended', totalRecords: 1234, totalBytes: 1000 },
    { ...orders, state: 'failed', waitingFor: [] },
  ];
  await shown.display.finish();
  shown.display.say('SIGINT: draining\n');
  const { lines, row, column } = shown.screen;
  assert.equal(lines.slice(0, 2), ['warn: something', 'SIGINT: draining']);
  assert.match(lines[2] ?? '', /^users\.users {3}\[█{24}\] 100% {7}1,234 rows .* 1\.0 kB {2}ended$/);
  assert.match(lines[3] ?? '', /^orders\.orders \[·{24}\] {16}0 rows .* failed$/);
  assert.equal([lines.slice(4), row, column], [[''], 4, 0]);
});

test('no line wraps at any width, and the state stays in sight from 40 columns on', async () => {
  const long = { ...orders, endpoint: 'orders.a_connector_with_a_long_name', waitingFor: ['a label\nof two lines'] };
  for (let columns = 10; columns <= 140; columns++) {
    const shown = show(columns, [{ ...idle, totalRecords: 123 }, long]);
    await shown.display.finish();
    await shown.display.finish();
    const { lines } = shown.screen;
    assert.is(lines.length, 3, `${columns} columns:\n${lines.join('\n')}`);
    assert.ok(lines.every((line) => line.length < columns));
    if (columns < 40) continue;
    assert.match(lines[0] ?? '', '  123 rows');
    assert.match(lines[0] ?? '', 'running');
    assert.match(lines[1] ?? '', 'waiting');
  }
});

test('more inputs than fit are summed up in a line', async () => {
  const shown = show(
    100,
    Array.from({ length: 20 }, (_, i) => ({ ...idle, endpoint: `users.${i}` })),
  );
  await shown.display.finish();
  assert.is(shown.screen.lines.length, 18);
  assert.is(shown.screen.lines[16], '… and 4 more inputs');
});

test('without a terminal: plain lines, and none for an input that has not changed', async () => {
  let text = '';
  const display = new ProgressDisplay({
    clock: systemClock,
    terminalColumns: null,
    write: (part) => {
      text += part;
    },
    read: async () => [idle, orders],
  });
  await display.finish();
  display.say('warn: something\n');
  await display.finish();
  assert.match(text, /^users\.users .* running\norders\.orders .* waiting for dimension\nwarn: something\n$/);
  assert.not.match(text, /\p{Cc}(?<!\n)/u);
});

test.run();
