// How the words behind a command's name are read.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../../actors/gateway/cli/command.ts';
import { readArguments } from '../../../../actors/gateway/cli/read-arguments.ts';

const measure: Command = {
  name: 'measure',
  synopsis: 'measure FILE [--seconds S] [--json]',
  summary: '',
  description: '',
  options: { seconds: { type: 'string' }, json: { type: 'boolean' } },
  operands: 1,
  run: async () => 0,
};

function refusal(...given: string[]): string {
  try {
    readArguments(measure, given);
  } catch (error) {
    return String(error);
  }
  return '';
}

test('options stand before, behind and between operands', () => {
  const expected = { operands: ['a.yaml'], options: { seconds: '3', json: true } };
  assert.equal(readArguments(measure, ['--seconds', '3', 'a.yaml', '--json']), expected);
  assert.equal(readArguments(measure, ['a.yaml', '--json', '--seconds=3']), expected);
  assert.equal(readArguments(measure, ['--', '--json']).operands, ['--json']);
});

test('a value may begin with a dash: the command says what is wrong with it', () => {
  assert.is(readArguments(measure, ['a', '--seconds', '-1']).options['seconds'], '-1');
  assert.is(readArguments(measure, ['a', '--seconds=-1']).options['seconds'], '-1');
  assert.is(readArguments(measure, ['a', '--seconds', '-']).options['seconds'], '-');
});

test('an option is no value of the one before it', () => {
  assert.match(refusal('a', '--seconds', '--json'), /millrace measure: --seconds needs a value/);
  assert.match(refusal('a', '--seconds'), /--seconds needs a value/);
});

test('what is no option, takes no value, or is one operand too many is refused', () => {
  assert.match(refusal('a', '--secnds', '3'), /there is no option --secnds \(did you mean "--seconds"\?\)/);
  assert.match(refusal('a', '-x'), /there is no option -x/);
  assert.match(refusal('a', '--toString'), /there is no option --toString/);
  assert.match(refusal('a', '--json=yes'), /--json takes no value/);
  assert.match(refusal('a', 'b'), /measure FILE .*: 1 operand expected, 2 given/);
  assert.match(refusal(), /1 operand expected, 0 given/);
});

test.run();
