// `/v0/api_keys`: keys are made, listed and revoked here. The secret is in the reply that makes the key and nowhere else.
//
// `role` is what Feldera's clients send: read, write (read and ingest with it), admin. `scopes` and `pipelines` are ours, for
// keys that may do less, such as only ingest into one pipeline.
import { MillraceError } from '../../../runtime/errors.ts';
import type { AccessScope, StoredApiKey } from '../../store/messages.ts';
import type { AccessControl } from '../access/access-control.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { list, nothing, object, oneOf, orNull, type Shaped, text, uuid } from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';

const scopes: readonly AccessScope[] = ['read', 'write', 'ingest', 'admin'];
const roles: Readonly<Record<string, readonly AccessScope[]>> = {
  read: ['read'],
  write: ['read', 'write', 'ingest'],
  ingest: ['ingest'],
  admin: ['read', 'write', 'ingest', 'admin'],
  owner: ['read', 'write', 'ingest', 'admin'],
};
const keyShape = object({
  id: uuid,
  name: text,
  role: oneOf('read', 'write', 'ingest', 'admin'),
  scopes: list(oneOf(...scopes)),
  pipelines: orNull(list(text)),
});
const newKeyShape = object({ id: uuid, name: text, api_key: text });
const namePattern = /^[a-zA-Z0-9_-]{1,100}$/;

export function apiKeyRoutes(access: AccessControl): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v0/api_keys',
      summary: 'Lists the API keys, without their secrets.',
      access: 'admin',
      ok: { 200: list(keyShape) },
      problems: [401, 403, 429],
      handle: () => json(200, access.keys().map(describe)),
    },
    {
      method: 'POST',
      path: '/v0/api_keys',
      summary: 'Makes an API key. Its secret is in the reply and cannot be read again.',
      access: 'admin',
      hasBody: true,
      ok: { 201: newKeyShape },
      problems: [400, 401, 403, 409, 413, 429],
      handle: async (request) => {
        const wanted = readNewKey(request.body);
        try {
          const { key, secret } = await access.createKey(wanted);
          return json(201, { id: key.id, name: key.name, api_key: secret });
        } catch (error) {
          if (!(error instanceof MillraceError) || error.code !== 'store.version_conflict') throw error;
          const message = `there is an API key named '${wanted.name}' already`;
          throw new HttpProblem({ status: 409, code: 'DuplicateName', message, cause: error });
        }
      },
    },
    {
      method: 'GET',
      path: '/v0/api_keys/{api_key_name}',
      summary: 'One API key, as a list of one.',
      access: 'admin',
      ok: { 200: list(keyShape) },
      problems: [401, 403, 404, 429],
      handle: (request) => json(200, [describe(find(access, request.params['api_key_name'] ?? ''))]),
    },
    {
      method: 'DELETE',
      path: '/v0/api_keys/{api_key_name}',
      summary: 'Revokes an API key, at once.',
      access: 'admin',
      ok: { 200: nothing },
      problems: [401, 403, 404, 429],
      handle: async (request) => {
        await access.revokeKey(find(access, request.params['api_key_name'] ?? '').id);
        return { status: 200 };
      },
    },
  ];
}

function describe(key: StoredApiKey): Shaped<typeof keyShape> {
  const { id, name } = key;
  const role = key.scopes.includes('admin')
    ? 'admin'
    : (key.scopes.find((scope) => scope === 'write') ?? key.scopes[0] ?? 'read');
  return { id, name, role, scopes: key.scopes, pipelines: key.pipelines };
}

function find(access: AccessControl, name: string): StoredApiKey {
  const found = access.keys().find((key) => key.name === name);
  if (found !== undefined) return found;
  throw new HttpProblem({
    status: 404,
    code: 'UnknownApiKey',
    message: `there is no API key named '${name}'`,
    details: { name },
  });
}

function readNewKey(body: unknown): {
  name: string;
  scopes: readonly AccessScope[];
  pipelines: readonly string[] | null;
} {
  if (typeof body !== 'object' || body === null) throw invalid('the body must be an object with a name');
  const { name, role, scopes: wanted, pipelines = null } = body as Record<string, unknown>; // SAFETY: an object; checked below.
  if (typeof name !== 'string') throw invalid('name must be a text');
  if (!namePattern.test(name)) {
    throw new HttpProblem({
      status: 400,
      code: 'NameDoesNotMatchPattern',
      message: `the name of an API key must match ${namePattern.source}`,
      details: { name: name.slice(0, 100), pattern: namePattern.source },
    });
  }
  if (pipelines !== null && !(Array.isArray(pipelines) && pipelines.every((item) => typeof item === 'string'))) {
    throw invalid('pipelines must be a list of names, or null for all');
  }
  return { name, scopes: readScopes(role, wanted), pipelines };
}

function readScopes(role: unknown, wanted: unknown): readonly AccessScope[] {
  if (wanted !== undefined && wanted !== null) {
    if (!Array.isArray(wanted) || wanted.length === 0 || !wanted.every((item) => scopes.includes(item))) {
      throw invalid(`scopes must be a list of ${scopes.join(', ')}`);
    }
    return scopes.filter((scope) => wanted.includes(scope));
  }
  const found = Object.entries(roles).find(([name]) => name === (role ?? 'write'));
  if (found === undefined) throw invalid(`role must be one of ${Object.keys(roles).join(', ')}`);
  return found[1];
}

function invalid(message: string): HttpProblem {
  return new HttpProblem({ status: 400, code: 'InvalidParam', message });
}
