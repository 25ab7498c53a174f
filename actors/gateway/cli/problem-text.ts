// How coded errors are shown to a person on the command line.
import { type ErrorData, errorToData, type MillraceError } from '../../../runtime/errors.ts';

/** `error code: file:line:column: what is wrong` and, indented below, what to do and the causes. */
export function problemLines(thrown: unknown): string[] {
  const error = errorToData(thrown);
  const lines = error.message.split('\n');
  return [
    `error ${error.code}: ${lines[0]}`,
    ...lines.slice(1).map((line) => `  ${line}`),
    `  help: ${error.help}`,
    ...error.causes.flatMap(causeLines),
  ];
}

function causeLines(cause: ErrorData): string[] {
  return [`  because ${cause.code}: ${cause.message.split('\n')[0]}`, ...cause.causes.flatMap(causeLines)];
}

/** Every problem of a pipeline file with its place and what to do, under a line that counts them. */
export function problemReport(file: string, problems: readonly MillraceError[]): string {
  const count = problems.length;
  const lines = [`${file} has ${count} problem${count === 1 ? '' : 's'}:`, ...problems.flatMap(problemLines)];
  return `${lines.join('\n')}\n`;
}
