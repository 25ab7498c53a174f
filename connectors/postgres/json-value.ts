// The text of a value of PostgreSQL as JSON for one of our columns: the same for rows of a snapshot and of changes.
//
// Numbers keep all their digits, JSON stays what it is, bytes and arrays are JSON arrays, rows objects by the names of their members, everything
// else is a text: times with a zone as their time in UTC (the session is in UTC). What the column cannot hold (infinity as DATE, NaN as
// DECIMAL) goes on as it is, and is refused with its column by the decoder.
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { oid, type PostgresType } from './type-catalog.ts';

const jsonNumber = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

export function jsonOf(text: string, target: SqlType, type: PostgresType): string {
  const isText = target.kind === 'VARCHAR' || target.kind === 'CHAR';
  if (isText) return JSON.stringify(shownText(text, type));
  if (type.oid === oid.json || type.oid === oid.jsonb) return text.replaceAll(/[\n\r]/g, ' ');
  const { element, members } = type;
  if (element !== null) return arrayJson(text, target, element);
  if (members !== null) return rowJson(text, target, members);
  switch (target.kind) {
    case 'BOOLEAN':
      return text === 't' ? 'true' : text === 'f' ? 'false' : JSON.stringify(text);
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'REAL':
    case 'DOUBLE':
    case 'DECIMAL':
      return numberJson(type.oid === oid.money ? text.replaceAll(/[$,]/g, '') : text);
    case 'VARIANT':
      if (type.oid === oid.bool) return text === 't' ? 'true' : 'false';
      return type.category === 'N' && type.oid !== oid.money ? numberJson(text) : JSON.stringify(shownText(text, type));
    case 'BINARY':
    case 'VARBINARY':
      return text.startsWith('\\x') ? `[${[...Buffer.from(text.slice(2), 'hex')].join(',')}]` : JSON.stringify(text);
    case 'TIMESTAMP':
    case 'TIME':
      return JSON.stringify(shownText(text, type));
    default:
      return JSON.stringify(text);
  }
}

/** As a text column has it. */
function shownText(text: string, { oid: own }: PostgresType): string {
  switch (own) {
    case oid.bool:
      return text === 't' ? 'true' : 'false';
    case oid.bytea:
      return text.replace(/^\\x/, '');
    case oid.timestamptz:
      return text.replace(/\+00$/, '').replace(/\+00 BC$/, ' BC');
    case oid.timetz:
      return timeInUtc(text);
    default:
      return text;
  }
}

function numberJson(text: string): string {
  return jsonNumber.test(text) ? text : JSON.stringify(text);
}

/** `12:34:56.789+02` is `10:34:56.789`. */
function timeInUtc(text: string): string {
  const [, hours = '', minutes = '', seconds = '', sign = '', byHours = '', byMinutes = '0', bySeconds = '0'] =
    /^(\d\d):(\d\d):(\d\d(?:\.\d+)?)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/.exec(text) ?? [];
  if (sign === '') return text;
  const [whole = '', fraction] = seconds.split('.');
  const offset = Number(byHours) * 3600 + Number(byMinutes) * 60 + Number(bySeconds);
  const local = Number(hours) * 3600 + Number(minutes) * 60 + Number(whole);
  // 24:00:00 is no time of day here, whatever the zone.
  if (local >= 86_400) return text;
  const utc = (local - (sign === '-' ? -offset : offset) + 2 * 86_400) % 86_400;
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(Math.floor(utc / 3600))}:${two(Math.floor(utc / 60) % 60)}:${two(utc % 60)}`;
  return fraction === undefined ? time : `${time}.${fraction}`;
}

/** `{1,NULL,"a \"b\"",{…}}`, also with bounds in front: `[0:1]={1,2}`. */
function arrayJson(text: string, target: SqlType, element: PostgresType): string {
  const start = text.indexOf('{');
  if (start < 0) return JSON.stringify(text);
  const elementOf = (of: SqlType): SqlType => (of.kind === 'ARRAY' ? of.element : of);
  let at = start;
  const list = (of: SqlType): string => {
    const parts: string[] = [];
    at++;
    while (at < text.length && text[at] !== '}') {
      if (text[at] === ',') at++;
      if (text[at] === '{') parts.push(list(elementOf(of)));
      else if (text[at] === '"') {
        const quoted = quotedAt(text, at, false);
        at = quoted.end;
        parts.push(jsonOf(quoted.value, elementOf(of), element));
      } else {
        const end = text.slice(at).search(/[,}]/) + at;
        const value = text.slice(at, end);
        parts.push(value === 'NULL' ? 'null' : jsonOf(value, elementOf(of), element));
        at = end;
      }
    }
    at++;
    return `[${parts.join(',')}]`;
  };
  return list(target);
}

/** `(1,,"a ""b""")`: nothing between two commas is NULL. */
function rowJson(text: string, target: SqlType, members: NonNullable<PostgresType['members']>): string {
  if (!text.startsWith('(')) return JSON.stringify(text);
  const fields = target.kind === 'ROW' ? target.fields : [];
  const parts: string[] = [];
  let at = 1;
  for (const { name, type } of members) {
    let value: string | null = null;
    // A value may be quoted in part.
    while (at < text.length && text[at] !== ',' && text[at] !== ')') {
      if (text[at] === '"') {
        const quoted = quotedAt(text, at, true);
        value = (value ?? '') + quoted.value;
        at = quoted.end;
      } else if (text[at] === '\\') {
        value = (value ?? '') + (text[at + 1] ?? '');
        at += 2;
      } else value = (value ?? '') + text[at++];
    }
    at++;
    const field =
      fields.find((each) => each.name === name) ??
      fields.find((each) => each.name.toLowerCase() === name.toLowerCase());
    const of: SqlType = field?.type ?? { kind: 'VARIANT' };
    parts.push(`${JSON.stringify(field?.name ?? name)}:${value === null ? 'null' : jsonOf(value, of, type)}`);
  }
  return `{${parts.join(',')}}`;
}

/** A quoted text from its quote on; `doubles`: "" stands for a quote in it. */
function quotedAt(text: string, start: number, doubles: boolean): { readonly value: string; readonly end: number } {
  let value = '';
  let at = start + 1;
  for (; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') {
      if (!doubles || text[at + 1] !== '"') break;
      at++;
    }
    value += text[at] ?? '';
  }
  return { value, end: at + 1 };
}
