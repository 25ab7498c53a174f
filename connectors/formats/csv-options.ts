// The parameters of the csv format, as data, and their checked form: bytes instead of characters, -1 for "none".
import type { Parameter, ParameterValues } from '../sdk/parameters.ts';
import { FormatConflictingOptions } from './format-errors.ts';

export interface CsvInputOptions {
  readonly delimiter: number;
  readonly headers: boolean;
  /** -1: fields are never quoted. */
  readonly quote: number;
  readonly escapeByte: number;
  readonly doubleQuote: boolean;
  readonly comment: number;
  readonly flexible: boolean;
  readonly trimHeaders: boolean;
  readonly trimFields: boolean;
}

const delimiterParameter: Parameter = {
  name: 'delimiter',
  type: { kind: 'character' },
  required: false,
  default: ',',
  description: 'The ASCII character between two fields.',
};

export const csvInputParameters: readonly Parameter[] = [
  delimiterParameter,
  {
    name: 'headers',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description:
      '`true`: the first line names the columns, in any case. `false`: fields are columns in the order of the table, the first line is data.',
  },
  {
    name: 'quote',
    type: { kind: 'character' },
    required: false,
    default: '"',
    description: 'The ASCII character around fields that hold delimiters, quotes or line breaks.',
  },
  {
    name: 'escape',
    type: { kind: 'character' },
    required: false,
    description: 'The ASCII character that takes its successor inside quotes literally. By default there is none.',
  },
  {
    name: 'double_quote',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: 'Two quotes inside quotes stand for one.',
  },
  {
    name: 'quoting',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: '`false`: the quote is a character like any other.',
  },
  {
    name: 'comment',
    type: { kind: 'character' },
    required: false,
    description: 'Lines that begin with this ASCII character are skipped. By default there are no comments.',
  },
  {
    name: 'flexible',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description:
      '`true`: missing trailing fields take the DEFAULT or NULL, surplus ones are ignored and counted. `false`: both are errors.',
  },
  {
    name: 'trim',
    type: { kind: 'enum', values: ['none', 'headers', 'fields', 'all'] },
    required: false,
    default: 'none',
    description: 'Where spaces and tabs around unquoted fields are removed.',
  },
];

/** @throws FormatConflictingOptions */
export function readCsvInputOptions(configuration: ParameterValues): CsvInputOptions {
  const trim = configuration['trim'] ?? 'none';
  const quoting = configuration['quoting'] !== false;
  const options: CsvInputOptions = {
    delimiter: byteOf(configuration['delimiter'] ?? ','),
    headers: configuration['headers'] === true,
    quote: quoting ? byteOf(configuration['quote'] ?? '"') : -1,
    escapeByte: quoting ? byteOf(configuration['escape']) : -1,
    doubleQuote: configuration['double_quote'] !== false,
    comment: byteOf(configuration['comment']),
    flexible: configuration['flexible'] !== false,
    trimHeaders: trim === 'headers' || trim === 'all',
    trimFields: trim === 'fields' || trim === 'all',
  };
  const { delimiter, quote, comment, escapeByte } = options;
  if ([delimiter, quote, comment, escapeByte].some((byte) => byte === 10 || byte === 13)) {
    throw conflict('a line break separates records; it cannot be delimiter, quote, escape or comment');
  }
  if (delimiter === quote) throw conflict('delimiter and quote are the same character');
  if (delimiter === comment) throw conflict('delimiter and comment are the same character');
  if (escapeByte === delimiter) throw conflict('delimiter and escape are the same character');
  if (quote >= 0 && comment === quote) throw conflict('quote and comment are the same character');
  // An escape that is the quote itself is what double_quote says.
  return escapeByte >= 0 && escapeByte === quote ? { ...options, escapeByte: -1, doubleQuote: true } : options;
}

export interface CsvOutputOptions {
  readonly delimiter: number;
}

export const csvOutputParameters: readonly Parameter[] = [
  delimiterParameter,
  {
    name: 'buffer_size_records',
    type: { kind: 'integer', min: 1 },
    required: false,
    default: 10000,
    description: 'Accepted for compatibility: a batch is printed as a whole.',
  },
];

/** @throws FormatConflictingOptions */
export function readCsvOutputOptions(configuration: ParameterValues): CsvOutputOptions {
  const delimiter = byteOf(configuration['delimiter'] ?? ',');
  if (delimiter === 0x22 || delimiter === 10 || delimiter === 13) {
    throw conflict('the delimiter of an output can be neither a quote nor a line break');
  }
  return { delimiter };
}

function byteOf(character: unknown): number {
  if (typeof character !== 'string' || character.length === 0) return -1;
  const code = character.charCodeAt(0);
  if (character.length > 1 || code > 127) throw conflict(`"${character}" is not one ASCII character`);
  return code;
}

function conflict(detail: string): Error {
  return new FormatConflictingOptions({ format: 'csv', detail });
}
