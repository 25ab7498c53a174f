// What a measured process is told to open: a pipeline file, or a pipeline without SQL that was read from a file of Conduit.
//
// Plain data, made where the file was checked (bench-command.ts), opened in the process that runs it.
import { resolve } from 'node:path';
import { systemClock } from '../../../runtime/clock.ts';
import { type LogEntry, makeLog } from '../../../runtime/log.ts';
import { transfer } from '../../../runtime/thread/remote.ts';
import type { RelayDefinition } from '../../relay-definition.ts';
import type { ControlConnection } from '../embedded/control-connection.ts';

export type MeasuredPipeline =
  | {
      readonly kind: 'file';
      /** Absolute. */
      readonly file: string;
      /** In the place of the `workers` of the file; null: as the file says. */
      readonly workers: number | null;
    }
  | {
      readonly kind: 'relay';
      readonly definition: RelayDefinition;
      /** Of plugin processes, of modules that export connectors, of WebAssembly processors; null: there are none. */
      readonly folders: {
        readonly connectors: string | null;
        readonly modules: string | null;
        readonly processors: string | null;
      };
      /** Of Millrace. */
      readonly version: string;
    };

/** Resolves with what lets go of it again. @throws PipelineInvalid */
export async function openMeasured(
  pipeline: MeasuredPipeline,
  connection: ControlConnection,
  onLog: (entry: LogEntry) => void,
): Promise<() => Promise<void>> {
  if (pipeline.kind === 'file') {
    const { file, workers } = pipeline;
    const request = { source: { file }, stepRowsMax: null, ...(workers === null ? {} : { workers }) };
    await connection.call('open', (control) => control.open(request));
    return async () => {};
  }
  const { definition, folders, version } = pipeline;
  // A file has no use for the plugins.
  const [{ ConnectorPlugins }, { forgetfulJournal }] = await Promise.all([
    import('../hosting/connector-plugins.ts'),
    import('../hosting/forgetful-journal.ts'),
  ]);
  const plugins = new ConnectorPlugins({
    loadRegistry: async () => (await import('../../../connectors/registry.ts')).registry,
    version,
    clock: systemClock,
    log: makeLog('bench', systemClock.now, onLog),
    baseFolder: resolve('.'),
    folder: folders.connectors,
    modulesFolder: folders.modules,
    processorsFolder: folders.processors,
    cacheFile: null,
    deadLetterFolder: null,
    schemas: { schemas: async () => [], putSchema: async () => {} },
    journalOf: forgetfulJournal,
  });
  const parts = await plugins.partsOf(definition.id, definition);
  const { journal } = parts.request;
  const source = { definition: { relay: definition }, baseFolder: resolve('.') };
  const request = { source, stepRowsMax: null, ...parts.request };
  await connection.call('open', (control) => control.open(transfer(request, journal === undefined ? [] : [journal])));
  return async () => {
    parts.release();
    await plugins.close();
  };
}
