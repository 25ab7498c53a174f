// What a command of the binary is, and what it is given. main.ts puts the tools together: commands know no actor.
//
// A command is loaded when it is called, and so is what it validates with: the compiler and every connector, of which a
// command that leaves the work to the control thread has no use.

import type { ParseArgsConfig } from 'node:util';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { Validation } from '../hosting/validation.ts';

/** Exit codes of the binary; docs/cli.md lists them. */
export const exitCodes: {
  readonly ok: 0;
  readonly failed: 1;
  readonly invalid: 2;
  readonly interrupted: 130;
} = { ok: 0, failed: 1, invalid: 2, interrupted: 130 };

export const UsageError: CodedErrorClass<{ readonly detail: string }> = defineError(
  'cli.usage',
  { help: '`millrace help COMMAND` shows how the command is called.' },
  (f) => f.detail,
);

/** Where a command writes, and what it may use. */
export interface Tools {
  readonly loadValidation: () => Promise<Validation>;
  /** Of Millrace, without a `v`. */
  readonly version: string;
  /** Where its package.json lies. */
  readonly packageFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Results. */
  out(text: string): void;
  /** Messages for the person in front of it. */
  err(text: string): void;
  /** Columns of the terminal behind `err`; null when it is none. */
  readonly terminalColumns: number | null;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly name: string;
  /** Such as `run FILE.yaml [--json]`. */
  readonly synopsis: string;
  readonly summary: string;
  /** Whole paragraphs for `millrace help NAME`. */
  readonly description: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Number of operands, or the fewest and the most. */
  readonly operands: number | readonly [least: number, most: number];
  /** Resolves with the exit code. @throws coded errors, which are printed; usage and configuration errors exit with 2. */
  run(operands: readonly string[], options: OptionValues, tools: Tools): Promise<number>;
}
