// Which connector plugins there are in a folder: its executable files, each of which is started once to say what it is.
// Files that may not be executed are no plugins and are left alone, but a program without that right is told: it was meant to be one.
import type { Clock } from '../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { PluginSpecification } from './plugin-specification.ts';
import { discoverFiles, type PluginProblem, startOfFile } from './specified-files.ts';

export interface PluginBinary extends PluginSpecification {
  readonly path: string;
}

export interface Discovery {
  /** By name, then by version as text. */
  readonly plugins: readonly PluginBinary[];
  readonly problems: readonly PluginProblem[];
}

export interface DiscoveryOptions {
  readonly folder: string;
  /** Null: nothing is remembered. */
  readonly cacheFile: string | null;
  readonly clock: Clock;
  /** For each file. Default 20 s. */
  readonly timeoutMs?: number;
}

export const PluginNotExecutable: CodedErrorClass<{ readonly path: string }> = defineError(
  'plugin.not_executable',
  { help: 'Give the right to execute it: chmod +x. What is no connector is better kept elsewhere.' },
  (f) => `${f.path} is a program, but may not be executed`,
);

/** Processes that are asked at a time. */
const askedAtOnce = 4;
const timeoutMsDefault = 20_000;
/** Of the owner, the group and others. */
const executableBits = 0o111;

/** Never throws: a folder that is not there has no plugins, one that cannot be read is a problem. */
export async function discoverPlugins(options: DiscoveryOptions): Promise<Discovery> {
  const { folder, cacheFile } = options;
  const { found, problems } = await discoverFiles<PluginSpecification>({
    folder,
    cacheFile,
    askedAtOnce,
    isPlugin: async (path, { mode }) => {
      if ((mode & executableBits) !== 0) return true;
      if (await isProgram(path)) throw new PluginNotExecutable({ path });
      return false;
    },
    specify: (path) => specify(path, options),
  });
  return { plugins: found, problems };
}

/** Starts the plugin for its specification alone. @throws a coded error */
export async function specify(path: string, { clock, timeoutMs }: DiscoveryOptions): Promise<PluginSpecification> {
  const { PluginSession } = await import('./plugin-session.ts');
  const session = await PluginSession.start({
    plugin: path,
    path,
    id: 'load-specifications',
    token: 'none',
    // Nobody asks for a schema here, but a plugin does not start without an address.
    schemaTarget: '127.0.0.1:9',
    logLevel: null,
    maxReceiveBytes: null,
    startTimeoutMs: timeoutMs ?? timeoutMsDefault,
    clock,
    print: () => {},
  });
  try {
    return await session.specify(timeoutMs ?? timeoutMsDefault);
  } finally {
    await session.kill();
  }
}

/** How programs begin: ELF, Mach-O in both orders and for several processors, scripts. */
const programStarts: readonly string[] = ['7f454c46', 'cffaedfe', 'feedfacf', 'cafebabe'];
const scriptStart = '2321';

async function isProgram(path: string): Promise<boolean> {
  const start = await startOfFile(path);
  return programStarts.includes(start) || start.startsWith(scriptStart);
}
