// What a server is started with.
import type { LogEntry } from '../../../runtime/log.ts';
import type { ConnectorDeadlines } from '../../supervisor/messages.ts';
import type { Rate } from '../access/token-bucket.ts';
import type { Validation } from '../hosting/validation.ts';
import type { ConnectionTimeouts } from './connection-limits.ts';
import type { TlsFiles } from './tls-files.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Of Conduit's gRPC interface. Default: it is not served. */
  readonly grpcPort?: number;
  readonly dataFolder: string;
  /** Relative paths of connectors start here. Default: the current folder. */
  readonly baseFolder?: string;
  /** Of the calls of connectors, as far as they are not the default. */
  readonly deadlines?: Partial<ConnectorDeadlines>;
  /** Origins that browsers may call from; `*`: all. Default: none. */
  readonly corsOrigins?: readonly string[];
  readonly tls?: TlsFiles;
  /** The most bytes of a JSON body. Default 64 MiB. */
  readonly bodyBytesMax?: number;
  /** The compiler and the connectors, as main.ts puts them together. */
  readonly loadValidation: () => Promise<Validation>;
  readonly onLog?: (entry: LogEntry) => void;
  /** Good for everything, beside the keys in the store. */
  readonly adminKey?: string;
  /** Folder of connector plugins, each a process of its own. Default: none. */
  readonly connectorsFolder?: string;
  /** Of processors that are WebAssembly modules. */
  readonly processorsFolder?: string;
  /** Folder of modules that export connectors; the server runs their code. Default: none. */
  readonly modulesFolder?: string;
  /** Folder of pipeline files of Conduit, or one of them, that the server makes its pipelines from. Default: none. */
  readonly pipelinesPath?: string;
  /** For what these files name of it. Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Of Millrace, as it is told to clients. */
  readonly version?: string;
  /** Refuse to start without API keys: others can reach the address. */
  readonly refuseOpen?: boolean;
  /** Of each API key. Default: none. */
  readonly keyLimits?: { readonly rate?: Rate; readonly bodyBytesMax?: number };
  readonly timeouts?: Partial<ConnectionTimeouts>;
}
