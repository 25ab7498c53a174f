// How a coded error is shown to a person on the command line.
import { type ErrorData, errorToData } from '../../../runtime/errors.ts';

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
