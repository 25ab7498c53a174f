// What sources will need that are opened soon is loaded ahead: their connectors and formats, and the libraries of those that ship with Millrace.
//
// Loading is most of what a connector costs before its first byte, and the thread has nothing to do while its pipeline starts. Modules of
// users are left to their own time. What cannot be loaded says so to whoever opens it.
import { registry } from '../../connectors/registry.ts';
import { loaded } from '../../connectors/sdk/load-on-use.ts';
import type { ExpectedInput } from './messages.ts';

export async function loadAhead(inputs: readonly ExpectedInput[]): Promise<void> {
  const { sources, inputFormats, ownFormats = [] } = registry;
  for (const { transport, format } of inputs) {
    try {
      const source = sources.find(({ name }) => name === transport);
      if (source === undefined) continue;
      const { loadAhead: library, impliedFormat } = await loaded(source);
      const wanted = format ?? impliedFormat?.name;
      const found = [...inputFormats, ...ownFormats].find(({ name }) => name === wanted);
      if (found !== undefined) await loaded(found);
      await library?.();
    } catch {
      // Whoever opens it is told.
    }
  }
}
