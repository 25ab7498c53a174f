// Problems of a program in the form that `/v0` gives them: messages with lines and columns from 1 and a snippet of the
// text with a caret under what is meant.
import type { MillraceError } from '../../../runtime/errors.ts';
import type { PipelineSource } from './pipeline-record.ts';
import type { CompiledPipeline } from './program-compilation.ts';

export interface SqlMessage {
  readonly start_line_number: number;
  readonly start_column: number;
  readonly end_line_number: number;
  readonly end_column: number;
  readonly warning: boolean;
  readonly error_type: string;
  readonly message: string;
  readonly snippet: string | null;
}

export interface ProgramError {
  readonly sql_compilation: { readonly exit_code: number; readonly messages: readonly SqlMessage[] } | null;
  readonly rust_compilation: {
    readonly exit_code: number;
    readonly stdout: string;
    readonly stderr: string;
  } | null;
  readonly system_error: string | null;
}

export const successfulProgram: ProgramError = {
  sql_compilation: { exit_code: 0, messages: [] },
  rust_compilation: { exit_code: 0, stdout: '', stderr: '' },
  system_error: null,
};

/** null: nothing is wrong. */
export function programErrorOf(
  compiled: CompiledPipeline,
  source: Pick<PipelineSource, 'programCode' | 'udfRust'>,
): { readonly status: 'SqlError' | 'RustError'; readonly error: ProgramError } | null {
  const messages = sqlMessages(compiled, source.programCode);
  if (messages.length > 0) {
    const error = { sql_compilation: { exit_code: 1, messages }, rust_compilation: null, system_error: null };
    return { status: 'SqlError', error };
  }
  if (source.udfRust.trim() === '') return null;
  const stderr = `error: functions in Rust are not supported by this server\n${source.udfRust}`;
  return {
    status: 'RustError',
    error: {
      sql_compilation: successfulProgram.sql_compilation,
      rust_compilation: { exit_code: 1, stdout: '', stderr },
      system_error: null,
    },
  };
}

export function sqlMessages(compiled: CompiledPipeline, text: string): SqlMessage[] {
  return [
    ...compiled.problems.map((problem) => sqlMessage(problem, text)),
    ...compiled.connectorProblems.map(({ message, line, column }) =>
      located({ line, column, endColumn: column }, 'ConnectorGenerationError', message, text),
    ),
  ];
}

function sqlMessage(problem: MillraceError, text: string): SqlMessage {
  const line = problem.place?.line ?? 0;
  const column = problem.place?.column ?? 0;
  const endColumn = column + Math.max(1, wordAt(text, line, column).length) - 1;
  const place = `From line ${line}, column ${column} to line ${line}, column ${endColumn}: `;
  const isUnsupported = problem.code === 'sql.unsupported';
  const detail =
    problem.code === 'sql.unknown_table' ? `Object '${wordAt(text, line, column)}' not found` : bare(problem.message);
  return located(
    { line, column, endColumn },
    isUnsupported ? 'Not supported' : 'Compilation error',
    `${line === 0 ? '' : place}${detail}`,
    text,
  );
}

/** The message without the place in front of it. */
function bare(message: string): string {
  return message.replace(/^\S*\d+:\d+: /, '');
}

function located(
  at: { readonly line: number; readonly column: number; readonly endColumn: number },
  errorType: string,
  message: string,
  text: string,
): SqlMessage {
  return {
    start_line_number: at.line,
    start_column: at.column,
    end_line_number: at.line,
    end_column: at.endColumn,
    warning: false,
    error_type: errorType,
    message,
    snippet: snippet(text, at.line, at.column, at.endColumn),
  };
}

/** The identifier, or quoted identifier, that begins there. */
function wordAt(text: string, line: number, column: number): string {
  const rest = (text.split('\n')[line - 1] ?? '').slice(Math.max(0, column - 1));
  return /^(?:"(?:[^"]|"")*"|[\p{L}\p{N}_$]+)/u.exec(rest)?.[0] ?? '';
}

function snippet(text: string, line: number, column: number, endColumn: number): string | null {
  const lines = text.split('\n');
  const wrong = lines[line - 1];
  if (wrong === undefined) return null;
  const numbered = (number: number): string => `${String(number).padStart(5)}|${lines[number - 1] ?? ''}\n`;
  const before = line > 1 ? numbered(line - 1) : '';
  const caret = `${' '.repeat(5 + column)}${'^'.repeat(Math.max(1, endColumn - column + 1))}\n`;
  return `${before}${numbered(line)}${caret}`;
}
