// Errors of SQL text: what the parser and the binder report, each with its place.
//
// Every problem of a program is collected, one does not hide another. What fails while rows are computed is in
// evaluation-errors.ts.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const SqlSyntax: CodedErrorClass<{ readonly found: string; readonly expected: string }> = defineError(
  'sql.syntax',
  { help: 'Correct the statement at the place that the message names.' },
  (f) => (f.expected === '' ? `unexpected ${f.found}` : `expected ${f.expected} but found ${f.found}`),
);

export const SqlReservedWord: CodedErrorClass<{ readonly word: string }> = defineError(
  'sql.reserved_word',
  { help: 'Write the name in double quotes, everywhere it is used.' },
  (f) => `${f.word} is a reserved word; to use it as a name write it in double quotes: "${f.word.toLowerCase()}"`,
);

export const SqlUnsupported: CodedErrorClass<{ readonly construct: string; readonly instead: string }> = defineError(
  'sql.unsupported',
  { help: 'Rewrite the query with what is supported; the message says how where there is a way.' },
  (f) => `${f.construct} is not supported${f.instead === '' ? '' : `; ${f.instead}`}`,
);

export const SqlUnknownTable: CodedErrorClass<{ readonly name: string; readonly known: readonly string[] }> =
  defineError(
    'sql.unknown_table',
    { help: 'Declare the table or view in the program. Names without quotes are folded to lower case.' },
    (f) => `no table or view is named "${f.name}"${f.known.length === 0 ? '' : `; there are ${listNames(f.known)}`}`,
  );

export const SqlUnknownColumn: CodedErrorClass<{
  readonly name: string;
  readonly known: readonly string[];
  /** The name stood in double quotes, as texts do elsewhere. */
  readonly quoted?: boolean;
}> = defineError(
  'sql.unknown_column',
  {
    help: "Use a column of the tables in FROM. Names without quotes are folded to lower case; a text stands in single quotes, 'text'.",
  },
  (f) => {
    const text =
      f.quoted === true ? `; if it is a text, write it in single quotes: '${f.name.replaceAll("'", "''")}'` : '';
    return `no column is named "${f.name}"${text}${f.known.length === 0 ? '' : `; there are ${listNames(f.known)}`}`;
  },
);

export const SqlUnknownFunction: CodedErrorClass<{ readonly name: string }> = defineError(
  'sql.unknown_function',
  { help: 'See the list of SQL functions.' },
  (f) => `no function is named "${f.name}"`,
);

export const SqlUnknownType: CodedErrorClass<{ readonly name: string }> = defineError(
  'sql.unknown_type',
  { help: 'Use a scalar SQL type, such as BIGINT, VARCHAR, DECIMAL(p, s), DOUBLE, DATE or TIMESTAMP.' },
  (f) => `no type is named ${f.name}`,
);

export const SqlUnknownProperty: CodedErrorClass<{ readonly name: string; readonly known: readonly string[] }> =
  defineError(
    'sql.unknown_property',
    { help: 'Use one of the properties that the message lists.' },
    (f) => `no property is named '${f.name}'; there are ${listNames(f.known)}`,
  );

export const SqlInvalidProperty: CodedErrorClass<{
  readonly name: string;
  readonly value: string;
  readonly expected: string;
}> = defineError(
  'sql.invalid_property',
  { help: 'Correct the value of the property.' },
  (f) => `property '${f.name}' is '${f.value}', expected ${f.expected}`,
);

export const SqlAmbiguousColumn: CodedErrorClass<{ readonly name: string; readonly tables: readonly string[] }> =
  defineError(
    'sql.ambiguous_column',
    { help: 'Write the name of the table before the column, as in t.c.' },
    (f) => `column "${f.name}" could be that of ${listNames(f.tables)}`,
  );

export const SqlTypeMismatch: CodedErrorClass<{ readonly detail: string }> = defineError(
  'sql.type_mismatch',
  { help: 'Convert one side with CAST.' },
  (f) => f.detail,
);

export const SqlDuplicateName: CodedErrorClass<{ readonly what: string; readonly name: string }> = defineError(
  'sql.duplicate_name',
  { help: 'Give one of them another name.' },
  (f) => `${f.what} "${f.name}" is declared twice`,
);

export const SqlNotGrouped: CodedErrorClass<{ readonly expression: string }> = defineError(
  'sql.not_grouped',
  { help: 'Add the column to GROUP BY, or put it inside an aggregate function such as MAX.' },
  (f) => `${f.expression} is neither in GROUP BY nor inside an aggregate function`,
);

export const SqlMisplacedAggregate: CodedErrorClass<{ readonly expression: string; readonly clause: string }> =
  defineError(
    'sql.misplaced_aggregate',
    { help: 'Aggregate functions may stand in SELECT, HAVING and ORDER BY. Use HAVING to filter groups.' },
    (f) => `the aggregate ${f.expression} may not stand in ${f.clause}`,
  );

export const SqlInvalidLiteral: CodedErrorClass<{
  readonly text: string;
  readonly type: string;
  readonly expected: string;
}> = defineError(
  'sql.invalid_literal',
  { help: 'Correct the literal.' },
  (f) =>
    `'${f.text}' is not ${/^[AI]/.test(f.type) ? 'an' : 'a'} ${f.type} literal${f.expected === '' ? '' : `, expected ${f.expected}`}`,
);

export const SqlUnknownUnit: CodedErrorClass<{ readonly name: string; readonly known: readonly string[] }> =
  defineError(
    'sql.unknown_unit',
    { help: 'Use one of the time units that the message lists.' },
    (f) => `no time unit is named ${f.name}; there are ${listNames(f.known, 24)}`,
  );

export const SqlInvalidArguments: CodedErrorClass<{ readonly function: string; readonly detail: string }> = defineError(
  'sql.invalid_arguments',
  { help: 'See the list of SQL functions for what it takes.' },
  (f) => `${f.function}: ${f.detail}`,
);

export const SqlInvalidDefinition: CodedErrorClass<{ readonly detail: string }> = defineError(
  'sql.invalid_definition',
  { help: 'Correct the declaration.' },
  (f) => f.detail,
);

export const SqlTooDeep: CodedErrorClass<{ readonly most: number }> = defineError(
  'sql.too_deep',
  { help: 'Split the query into several views.' },
  (f) => `the statement is nested too deep: ${f.most} levels are the most`,
);

function listNames(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
