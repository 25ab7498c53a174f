// A schema registry for tests: Apicurio, which speaks the protocol of Confluent, on a free port, in memory. It comes from Maven Central,
// once for a machine; under CI it is fetched when it is missing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { archivedClasses, makeClassArchive } from './class-archive.ts';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const version = '3.0.9';
const artifact = 'apicurio-registry-app';
const tools = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');

export interface ApicurioServer {
  /** What `registry_urls` names. */
  readonly url: string;
  readonly process: ServerProcess;
  /** The id of a schema that is registered under a subject. */
  register(subject: string, schema: unknown, references?: readonly SchemaReference[]): Promise<number>;
  get(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A schema that another one refers to by a name. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** Running; or why there is none. */
export async function startApicurioServer(
  javaArguments: readonly string[] = [],
): Promise<ApicurioServer | { readonly missing: string }> {
  const folder = apicurioFolder();
  if (typeof folder !== 'string') return folder;
  const [port, management] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const heap = [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...archivedClasses(folder),
    ...javaArguments,
  ];
  const addresses = [
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.management.host=127.0.0.1',
    `-Dquarkus.management.port=${management}`,
  ];
  const process = new ServerProcess({
    command: 'java',
    args: [...heap, ...addresses, '-jar', join(folder, `${artifact}-${version}-runner.jar`)],
    isReady: async () => (await fetch(`${url}/subjects`)).ok,
  });
  await process.start();
  const get = async (path: string): Promise<unknown> => await (await fetch(`${url}${path}`)).json();
  return {
    url,
    process,
    register: async (subject, schema, references = []) => {
      const response = await fetch(`${url}/subjects/${subject}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: JSON.stringify(schema), schemaType: 'AVRO', references }),
      });
      // SAFETY: what the protocol says of the answer.
      const { id } = (await response.json()) as { readonly id: number };
      return id;
    },
    get,
    close: () => process.dispose(),
  };
}

/** Lays out its classes for the starts to come. */
export async function archiveApicurioClasses(): Promise<void> {
  const folder = apicurioFolder();
  if (typeof folder !== 'string') return;
  await makeClassArchive(folder, async (javaArguments) => {
    const server = await startApicurioServer(javaArguments);
    if ('missing' in server) return;
    await server.process.stop();
    await server.close();
  });
}

/** The folder of the program; or why there is none. Under CI it is fetched when it is missing. */
export function apicurioFolder(): string | { readonly missing: string } {
  const folder = join(tools, `apicurio-${version}`);
  if (isComplete(folder)) return folder;
  const needed = ['java', 'mvn', 'tar'].filter((name) => !isOnPath(name));
  const missing =
    needed.length > 0 ? `Apicurio needs ${needed.join(' and ')}` : `Apicurio ${version} is not in ${folder}`;
  if (process.env['CI'] === undefined) return { missing };
  if (needed.length > 0) throw new Error(`under CI: ${missing}`);
  mkdirSync(tools, { recursive: true });
  // The folder has its name when it is complete: two at a time do not meet.
  const own = mkdtempSync(join(tools, 'fetching-apicurio-'));
  const coordinates = `io.apicurio:${artifact}:${version}:tar.gz:all`;
  const get = ['-q', '-B', 'dependency:get', `-Dartifact=${coordinates}`, '-Dtransitive=false'];
  execFileSync('mvn', get, { cwd: own, stdio: 'pipe' });
  const copy = ['-q', '-B', 'dependency:copy', `-Dartifact=${coordinates}`, `-DoutputDirectory=${own}`];
  execFileSync('mvn', copy, { cwd: own, stdio: 'pipe' });
  const archive = join(own, `${artifact}-${version}-all.tar.gz`);
  execFileSync('tar', ['-xzf', archive, '-C', own], { stdio: 'pipe' });
  rmSync(archive);
  // What a fetch that was broken off has left.
  if (!isComplete(folder)) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(own, folder);
  } catch {
    // Somebody else was quicker.
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}

function isComplete(folder: string): boolean {
  return existsSync(join(folder, `${artifact}-${version}-runner.jar`));
}

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}
