// sprig's functions of URLs: `urlParse` gives the parts of one as a dictionary, `urlJoin` makes one of such a dictionary. Read and
// written as Go's net/url does; what it refuses is refused.
import { type GoMap, isNil, typeName } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, mapAt, textAt } from './template-function.ts';

export const urlFunctions: FunctionTable = {
  urlParse: fn(1, (o) => {
    const url = parseUrl(textAt(o, 0));
    const { scheme, opaque, host, path, query, fragment } = url;
    return { fragment, host, hostname: hostnameOf(host), opaque, path, query, scheme, userinfo: userText(url.user) };
  }),
  urlJoin: fn(1, (o) => joined(mapAt(o, 0))),
};

interface User {
  readonly name: string;
  /** null: without a colon. */
  readonly password: string | null;
}

interface Url {
  readonly scheme: string;
  readonly opaque: string;
  readonly user: User | null;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

/** What stands as it is: letters, digits, -_.~ and these. */
const plain = { path: '$&+,/:;=@', fragment: '$&+,/:;=?@!()*', user: '$&+,;=', host: '!$&\'()*+,;=:[]<>"' } as const;

function parseUrl(text: string): Url {
  const refuse = (why: string): FunctionFailure =>
    new FunctionFailure(`unable to parse url: parse ${JSON.stringify(text)}: ${why}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\0-\x1f\x7f]/.test(text)) throw refuse('net/url: invalid control character in URL');
  const [whole = '', fragment = ''] = cut(text, '#');
  if (whole.startsWith(':')) throw refuse('missing protocol scheme');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(whole)?.[1] ?? '';
  const [rest = '', query = ''] = cut(scheme === '' ? whole : whole.slice(scheme.length + 1), '?');
  const about = { scheme: scheme.toLowerCase(), query, fragment: unescaped(fragment, refuse) };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...about, opaque: rest, user: null, host: '', path: '' };
    if (/^[^/]*:/.test(rest)) throw refuse('first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  if (!hasAuthority) return { ...about, opaque: '', user: null, host: '', path: unescaped(rest, refuse) };
  const slash = rest.indexOf('/', 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const port = host.startsWith('[')
    ? host.slice(host.indexOf(']') + 1)
    : host.slice(host.indexOf(':') < 0 ? host.length : host.indexOf(':'));
  if (!/^(:\d*)?$/.test(port)) throw refuse(`invalid port ${JSON.stringify(port)} after host`);
  if (/ /.test(host)) throw refuse('invalid character " " in host name');
  return {
    ...about,
    opaque: '',
    user: at < 0 ? null : userOf(authority.slice(0, at), refuse),
    host: unescaped(host, refuse),
    path: slash < 0 ? '' : unescaped(rest.slice(slash), refuse),
  };
}

function cut(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function userOf(text: string, refuse: (why: string) => FunctionFailure): User {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) throw refuse('net/url: invalid userinfo');
  const [name = '', password] = cut(text, ':');
  return { name: unescaped(name, refuse), password: password === undefined ? null : unescaped(password, refuse) };
}

function userText(user: User | null): string {
  if (user === null) return '';
  return `${escaped(user.name, plain.user)}${user.password === null ? '' : `:${escaped(user.password, plain.user)}`}`;
}

function hostnameOf(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  return /^(.*):\d*$/.exec(host)?.[1] ?? host;
}

function joined(parts: GoMap): string {
  const part = (name: string): string => {
    const value = Object.hasOwn(parts, name) ? parts[name] : '';
    if (typeof value === 'string') return value;
    throw new FunctionFailure(
      `unable to parse ${name} key, must be of type string, but ${isNil(value) ? '<nil>' : typeName(value)} found`,
    );
  };
  const [scheme, host, path, opaque] = [part('scheme'), part('host'), part('path'), part('opaque')];
  const userinfo = part('userinfo');
  const user = userinfo === '' ? null : parseUrl(`proto://${userinfo}@host`).user;
  const start = scheme === '' ? '' : `${scheme}:`;
  const [query, fragment] = [part('query'), part('fragment')];
  const end = `${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${escaped(fragment, plain.fragment)}`}`;
  if (opaque !== '') return `${start}${opaque}${end}`;
  const hasAuthority = host !== '' || user !== null || (scheme !== '' && path !== '');
  const authority = `//${user === null ? '' : `${userText(user)}@`}${escaped(host, plain.host)}`;
  const shownPath = path === '*' ? path : escaped(path, plain.path);
  const slash = path !== '' && !path.startsWith('/') && host !== '' ? '/' : '';
  const dot = start === '' && !hasAuthority && /^[^/]*:/.test(shownPath) ? './' : '';
  return `${start}${hasAuthority ? authority : ''}${slash}${dot}${shownPath}${end}`;
}

function escaped(text: string, others: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const isPlain = /[A-Za-z0-9\-_.~]/.test(character) || others.includes(character);
      return isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function unescaped(text: string, refuse: (why: string) => FunctionFailure): string {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text);
  if (bad !== null) throw refuse(`invalid URL escape ${JSON.stringify(bad[0])}`);
  const bytes = [...text.matchAll(/%([0-9A-Fa-f]{2})|([^%]+)/g)].map(([, hex, rest]) =>
    hex === undefined ? Buffer.from(rest ?? '') : Buffer.from(hex, 'hex'),
  );
  return Buffer.concat(bytes).toString();
}
