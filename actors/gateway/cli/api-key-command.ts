// `millrace api-key create|list|revoke`: the API keys of a server. The secret of a key is printed once, when it is made.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { list, member, sortedBy, text } from './reply-fields.ts';
import { ServerClient, ServerRefused, serverOptions } from './server-client.ts';

const actions = ['create', 'list', 'revoke'];
const scopes = ['read', 'write', 'ingest', 'admin'];

export const apiKeyCommand: Command = {
  name: 'api-key',
  synopsis: 'api-key create NAME [--scopes LIST] | list | revoke NAME [--json] [--url URL] [--api-key KEY]',
  summary: 'Makes, lists and revokes the API keys of a server.',
  description: `create prints the secret of the new key, which cannot be read again; --scopes are some of ${scopes.join(', ')},
separated by commas (default: read,write,ingest). list prints names, scopes and pipelines, sorted by name. revoke ends a key
at once. --json prints a JSON object a line. --url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, json: { type: 'boolean' }, scopes: { type: 'string' } },
  operands: [1, 2],
  async run(operands, options, tools): Promise<number> {
    const [action = '', name] = operands;
    if (!actions.includes(action)) {
      const detail = `millrace api-key: there is no "${action}"; there are ${actions.join(', ')}`;
      throw new UsageError({ detail }, { suggestion: nearestName(action, actions) });
    }
    if ((action === 'list') !== (name === undefined)) {
      const wanted = action === 'list' ? 'list has no NAME' : `${action} needs a NAME`;
      throw new UsageError({ detail: `millrace api-key: ${wanted}` });
    }
    if (options['scopes'] !== undefined && action !== 'create') {
      throw new UsageError({ detail: `millrace api-key: --scopes is for create, not for ${action}` });
    }
    const wantedScopes = readScopes(options);
    const client = new ServerClient(options, tools.environment);
    if (name === undefined) await printKeys(client, options, tools);
    else if (action === 'create') await createKey(client, name, wantedScopes, options, tools);
    else await revokeKey(client, name, options, tools);
    return exitCodes.ok;
  },
};

function readScopes(options: OptionValues): readonly string[] | null {
  const given = options['scopes'];
  if (typeof given !== 'string') return null;
  const wanted = given.split(',').map((scope) => scope.trim());
  const unknown = wanted.find((scope) => !scopes.includes(scope));
  if (unknown === undefined) return wanted;
  const detail = `--scopes: there is no scope "${unknown}"; there are ${scopes.join(', ')}`;
  throw new UsageError({ detail }, { suggestion: nearestName(unknown, scopes) });
}

async function createKey(
  client: ServerClient,
  name: string,
  wantedScopes: readonly string[] | null,
  options: OptionValues,
  tools: Tools,
): Promise<void> {
  const body = JSON.stringify(wantedScopes === null ? { name } : { name, scopes: wantedScopes });
  const key: unknown = await (await client.call('/api_keys', { method: 'POST', body })).json();
  if (options['json'] === true) {
    tools.out(`${jsonText(key)}\n`);
    return;
  }
  tools.err(`API key ${name}: keep it, it cannot be read again\n`);
  tools.out(`${text(key, 'api_key')}\n`);
}

async function printKeys(client: ServerClient, options: OptionValues, tools: Tools): Promise<void> {
  const keys = sortedBy(list(await (await client.call('/api_keys')).json()), 'name');
  if (options['json'] === true) {
    for (const key of keys) tools.out(`${jsonText(key)}\n`);
    return;
  }
  const rows = keys.map((key) => {
    const pipelines = member(key, 'pipelines');
    return {
      name: text(key, 'name'),
      scopes: list(member(key, 'scopes')).join(', '),
      pipelines: Array.isArray(pipelines) ? pipelines.join(', ') : 'all',
    };
  });
  tools.out(`${textTable(['name', 'scopes', 'pipelines'], rows).join('\n')}\n`);
}

async function revokeKey(client: ServerClient, name: string, options: OptionValues, tools: Tools): Promise<void> {
  try {
    await client.call(`/api_keys/${encodeURIComponent(name)}`, { method: 'DELETE' });
  } catch (error) {
    if (!(error instanceof ServerRefused) || error.fields['errorCode'] !== 'UnknownApiKey') throw error;
    const names = list(await (await client.call('/api_keys')).json()).map((key) => text(key, 'name'));
    const fields = { status: 404, errorCode: 'UnknownApiKey', detail: `there is no API key "${name}"` };
    throw new ServerRefused(fields, { suggestion: nearestName(name, names), cause: error });
  }
  tools.out(options['json'] === true ? `${jsonText({ name, revoked: true })}\n` : `API key ${name} is revoked\n`);
}
