// Pages of the command line: what they say is broken into lines that a terminal shows whole.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../../actors/gateway/cli/command.ts';
import { commandPage, overview } from '../../../../actors/gateway/cli/help-page.ts';

const command: Command = {
  name: 'grind',
  synopsis: `grind FILE${' [--option VALUE]'.repeat(12)}`,
  summary: 'Grinds.',
  description: `${'word '.repeat(60)}\n\n  --a    ${'what it is '.repeat(15)}\n  --longer short`,
  options: {},
  operands: 1,
  run: async () => 0,
};

test('no line is longer than 100 columns, nothing is left out, options in brackets are not torn', () => {
  const page = commandPage(command);
  for (const line of [...page.split('\n'), ...overview([command, command]).split('\n')]) {
    assert.ok(line.length <= 100, line);
    assert.is((line.match(/\[/g) ?? []).length, (line.match(/\]/g) ?? []).length, line);
  }
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
  const expected = `usage: millrace ${command.synopsis} ${command.summary} ${command.description}`;
  assert.equal(words(page), words(expected));
});

test('a list of options has its texts below one another, the overview has no options', () => {
  const lines = commandPage(command).split('\n');
  const option = lines.find((line) => line.startsWith('  --longer'));
  assert.is(option, '  --longer  short');
  assert.ok(lines.some((line) => /^ {12}\S/.test(line)));
  assert.match(overview([command]), /\n {2}grind FILE {6}Grinds\.\n/);
});

test.run();
