// Patterns: LIKE, ILIKE, regular expressions.
//
// LIKE: _ is one character, % any number of them; the default escape is the backslash. Regular expressions are those of
// JavaScript in unicode mode; RLIKE finds a match anywhere. A constant pattern is compiled once; the last thousand
// others are remembered.
import { InvalidArgument } from './evaluation-errors.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

type Matcher = (x: string) => boolean;

export const patternFunctions: readonly FunctionDefinition[] = [
  {
    name: 'like',
    synopsis: 'x LIKE pattern [ESCAPE character]',
    category: 'string',
    summary: 'Whether the whole of x matches a pattern of _ and %.',
    example: ["'hawkeye' LIKE 'h%ey_'", 'TRUE'],
    deterministic: true,
    overloads: [likeRow(false)],
  },
  {
    name: 'ilike',
    synopsis: 'x ILIKE pattern [ESCAPE character]',
    category: 'string',
    summary: 'LIKE that does not tell upper from lower case.',
    example: ["'Hawkeye' ILIKE 'h%'", 'TRUE'],
    deterministic: true,
    overloads: [likeRow(true)],
  },
  {
    name: 'rlike',
    synopsis: 'x RLIKE pattern, RLIKE(x, pattern)',
    category: 'string',
    summary: 'Whether a regular expression matches anywhere in x.',
    example: ["'string' RLIKE 's..i.*'", 'TRUE'],
    deterministic: true,
    overloads: [
      strictRow(
        ['string', 'string'],
        types.boolean,
        typed((x: string, pattern: string) => regularExpression(pattern, 'RLIKE').test(x)),
        {
          canFail: true,
        },
      ),
    ],
  },
  {
    name: 'similar_to',
    synopsis: 'x SIMILAR TO pattern [ESCAPE character]',
    category: 'string',
    summary: 'Whether the whole of x matches a regular expression of SQL: _ and % as in LIKE, | * + ? {n} ( ) and [ ].',
    example: ["'hawkeye' SIMILAR TO '(h|H)%[[:alpha:]]'", 'TRUE'],
    deterministic: true,
    overloads: [
      strictRow(
        ['string', 'string', 'string'],
        types.boolean,
        typed((x: string, pattern: string, escapeBy?: string) => similarExpression(pattern, escapeBy ?? '\\').test(x)),
        { optional: 1, canFail: true },
      ),
    ],
  },
  {
    name: 'regexp_replace',
    synopsis: 'REGEXP_REPLACE(x, pattern [, replacement])',
    category: 'string',
    summary:
      'Replaces every match of a regular expression; $1 in the replacement is the first group, $name one with a name, $$ a dollar; braces may stand around a name.',
    example: ["REGEXP_REPLACE('a1b22', '[0-9]+', '-')", "'a-b-'"],
    deterministic: true,
    overloads: [
      strictRow(['string', 'string', 'string'], types.text, typed(regexpReplace), { optional: 1, canFail: true }),
    ],
  },
];

function likeRow(ignoreCase: boolean): FunctionOverload {
  const evaluate = typed((x: string, pattern: string, escapeBy?: string) => matcher(pattern, escapeBy, ignoreCase)(x));
  const prepare = ({ constants }: CallShape): Evaluator => {
    const [, pattern, escapeBy] = constants;
    const isConstant = typeof pattern === 'string' && (typeof escapeBy === 'string' || constants.length < 3);
    if (!isConstant || (typeof escapeBy === 'string' && !isEscape(escapeBy))) return evaluate;
    const matches = likeMatcher(pattern, typeof escapeBy === 'string' ? escapeBy : '\\', ignoreCase);
    return typed((x: string) => matches(x));
  };
  return strictRow(['string', 'string', 'string'], types.boolean, evaluate, { optional: 1, canFail: true, prepare });
}

// Caches are functions of their keys alone, so threads need not share them.
const entriesMax = 1000;
const matchers = new Map<string, Matcher>();
const expressions = new Map<string, RegExp>();

function remember<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = make();
  if (cache.size >= entriesMax) cache.clear();
  cache.set(key, value);
  return value;
}

function matcher(pattern: string, escapeBy: string | undefined, ignoreCase: boolean): Matcher {
  const character = escapeBy ?? '\\';
  if (!isEscape(character))
    throw new InvalidArgument({ function: 'LIKE', detail: 'ESCAPE takes one character, not _ or %' });
  const key = `${ignoreCase ? 'i' : ' '}${character}${pattern}`;
  return remember(matchers, key, () => likeMatcher(pattern, character, ignoreCase));
}

function isEscape(character: string): boolean {
  return [...character].length === 1 && character !== '_' && character !== '%';
}

/** One pattern as a function; what needs no regular expression gets none. */
function likeMatcher(pattern: string, escapeBy: string, ignoreCase: boolean): Matcher {
  const plain = /^(%*)([^%_]*)(%*)$/s.exec(pattern);
  if (plain !== null && !ignoreCase && !pattern.includes(escapeBy)) {
    const [, before = '', text = '', after = ''] = plain;
    if (before !== '') return after !== '' || text === '' ? (x) => x.includes(text) : (x) => x.endsWith(text);
    return after !== '' ? (x) => x.startsWith(text) : (x) => x === text;
  }
  let source = '';
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    if (character === escapeBy && i + 1 < characters.length) source += quote(characters[++i] ?? '');
    else if (character === '%') source += '.*';
    else source += character === '_' ? '.' : quote(character);
  }
  const expression = new RegExp(`^${source}$`, ignoreCase ? 'sui' : 'su');
  return (x) => expression.test(x);
}

const characterClasses: ReadonlyMap<string, string> = new Map([
  ['alpha', '\\p{L}'],
  ['upper', '\\p{Lu}'],
  ['lower', '\\p{Ll}'],
  ['digit', '0-9'],
  ['alnum', '\\p{L}0-9'],
  ['space', ' '],
  ['whitespace', '\\s'],
]);

/** A pattern of SIMILAR TO as a regular expression over the whole text. */
function similarExpression(pattern: string, escapeBy: string): RegExp {
  if (!isEscape(escapeBy)) {
    throw new InvalidArgument({ function: 'SIMILAR TO', detail: 'ESCAPE takes one character, not _ or %' });
  }
  const refuse = (): Error =>
    new InvalidArgument({ function: 'SIMILAR TO', detail: `'${pattern}' is not a regular expression of SQL` });
  return remember(expressions, `similar ${escapeBy}${pattern}`, () => {
    let source = '';
    let inList = false;
    const characters = [...pattern];
    for (let i = 0; i < characters.length; i++) {
      const character = characters[i] ?? '';
      const named = inList && character === '[' ? /^\[:(\w+):\]/.exec(characters.slice(i).join('')) : null;
      if (character === escapeBy && i + 1 < characters.length) source += quote(characters[++i] ?? '');
      else if (named !== null) {
        const members = characterClasses.get(named[1]?.toLowerCase() ?? '');
        if (members === undefined) throw refuse();
        source += members;
        i += named[0].length - 1;
      } else if (inList) {
        inList = character !== ']';
        source += /[\\[&~]/.test(character) ? `\\${character}` : character;
      } else if (character === '[') {
        inList = true;
        source += character;
      } else if (character === '%') source += '.*';
      else if (character === '_') source += '.';
      else source += /[|*+?(){}]/.test(character) ? character : quote(character);
    }
    try {
      return new RegExp(`^(?:${source})$`, 'su');
    } catch {
      throw refuse();
    }
  });
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function regularExpression(pattern: string, name: string): RegExp {
  try {
    return remember(expressions, pattern, () => new RegExp(pattern, 'u'));
  } catch {
    throw new InvalidArgument({ function: name, detail: `'${pattern}' is not a regular expression` });
  }
}

function regexpReplace(x: string, pattern: string, replacement: string = ''): string {
  const expression = new RegExp(regularExpression(pattern, 'REGEXP_REPLACE'), 'gu');
  if (!replacement.includes('$')) return x.replaceAll(expression, () => replacement);
  return x.replaceAll(expression, (...match) => {
    const last: unknown = match.at(-1);
    const names = typeof last === 'object' && last !== null ? last : {};
    const group = (name: string): string => {
      const value: unknown = /^\d+$/.test(name) ? match[groupNumber(name, match)] : Reflect.get(names, name);
      return typeof value === 'string' ? value : '';
    };
    return replacement.replaceAll(groupReference, (whole, braced?: string, plain?: string) =>
      whole === '$$' ? '$' : group(braced ?? plain ?? ''),
    );
  });
}

/** $$, ${name} and $name, whose name is as long as it can be. */
const groupReference = /\$\$|\$\{(\w+)\}|\$(\w+)/g;

/** Where a group stands among the arguments of a replacer: behind the groups come the place and the text. */
function groupNumber(name: string, match: readonly unknown[]): number {
  const groups = match.findIndex((each) => typeof each === 'number');
  return Number(name) < groups ? Number(name) : -1;
}
