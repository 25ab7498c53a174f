// The operands and options of a command, from the words behind its name.
//
// Node's parser finds the options; what is wrong with them is said here, in words of ours. The word behind an option that takes a text
// is its value also where it begins with a dash, as long as it is no option itself: `--seconds -1` is for the command to refuse.
import { parseArgs } from 'node:util';
import type { MillraceError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type Command, type OptionValues, UsageError } from './command.ts';

export interface Arguments {
  readonly operands: readonly string[];
  readonly options: OptionValues;
}

/** @throws UsageError */
export function readArguments(command: Command, given: readonly string[]): Arguments {
  const { options: known, name } = command;
  const { tokens } = parseArgs({
    args: [...given],
    options: known,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const operands: string[] = [];
  const options: Record<string, string | boolean> = {};
  const refuse = (detail: string, suggestion?: string): MillraceError =>
    new UsageError({ detail: `millrace ${name}: ${detail}` }, { suggestion });
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const { name: option, rawName, value, inlineValue } = token;
    const setting = Object.hasOwn(known, option) ? known[option] : undefined;
    if (setting === undefined) {
      const nearest = nearestName(option, Object.keys(known));
      throw refuse(`there is no option ${rawName}`, nearest === undefined ? undefined : `--${nearest}`);
    }
    if (setting.type === 'boolean') {
      if (value !== undefined) throw refuse(`${rawName} takes no value`);
      options[option] = true;
    } else {
      const isOption = inlineValue === false && value !== undefined && /^--?[a-z]/i.test(value);
      if (value === undefined || isOption) throw refuse(`${rawName} needs a value`);
      options[option] = value;
    }
  }
  const [least, most] = typeof command.operands === 'number' ? [command.operands, command.operands] : command.operands;
  if (operands.length < least || operands.length > most) {
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    const noun = expected === '1' ? 'operand' : 'operands';
    const detail = `millrace ${command.synopsis}: ${expected} ${noun} expected, ${operands.length} given`;
    throw new UsageError({ detail });
  }
  return { operands, options };
}
