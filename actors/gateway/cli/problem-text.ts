// How coded errors are shown to a person on the command line.
import { type ErrorData, errorToData, type MillraceError, Unexpected } from '../../../runtime/errors.ts';
import { PipelineFileSyntax } from '../pipeline-file.ts';

/** `error code: file:line:column: what is wrong` and, indented below, what to do and the causes. */
export function problemLines(thrown: unknown): string[] {
  const error = errorToData(thrown);
  const lines = error.message.split('\n');
  return [
    `error ${error.code}: ${lines[0]}`,
    ...lines.slice(1).map((line) => `  ${line}`),
    `  help: ${error.help}`,
    ...error.causes.flatMap((cause) => causeLines(cause, error.message)),
  ];
}

/** Causes without a code (of Node, of a library) are told in their words alone, unless what they led to says them already. */
function causeLines({ code, message, causes }: ErrorData, effect: string): string[] {
  const further = causes.flatMap((cause) => causeLines(cause, message));
  const words = message.split('\n')[0] ?? '';
  if (code !== Unexpected.definition.code) return [`  because ${code}: ${words}`, ...further];
  return effect.includes(words) ? further : [`  because ${words}`, ...further];
}

/** One wrong quote or indentation makes a parser of YAML stumble over all that follows. */
const syntaxProblemsMax = 5;

/** Every problem of a pipeline file with its place and what to do, under a line that counts them. */
export function problemReport(file: string, problems: readonly MillraceError[]): string {
  const count = problems.length;
  const syntax = problems.filter(({ code }) => code === PipelineFileSyntax.definition.code);
  const left = syntax.slice(syntaxProblemsMax);
  const shown = problems.filter((problem) => !left.includes(problem));
  const lines = [`${file} has ${count} problem${count === 1 ? '' : 's'}:`, ...shown.flatMap(problemLines)];
  if (left.length > 0) lines.push(`and ${left.length} more of YAML, which may follow from those above`);
  return `${lines.join('\n')}\n`;
}
