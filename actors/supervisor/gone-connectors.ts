// Connectors that are remembered and gone from the definition: each is told so, on a fresh instance, before the pipeline starts.
//
// What cannot be told now (its plugin is missing, it refuses, it hangs) is still owed at the next start, and keeps nothing from starting. But an
// output that delivers exactly once delivers first what it was prepared for by the checkpoint that the pipeline goes on from: where it cannot, the
// start fails.
import type { Connector } from '../../connectors/sdk/connector-configuration.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { errorToData } from '../../runtime/errors.ts';
import { startedConnector } from './connector-context.ts';
import { tellDeleted } from './connector-trial.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import { ConnectorUnknown } from './supervision-errors.ts';
import type { SupervisorArguments } from './supervisor-arguments.ts';

export async function tellGoneConnectors(
  here: readonly Connector[],
  lifecycle: LifecycleKeeper,
  args: SupervisorArguments,
): Promise<void> {
  const { relay, host, clock, deadlines, baseFolder, log, revive, program } = args;
  const { name: pipeline, pipelineId = pipeline } = args;
  const [table] = program.tables;
  const known = new Set(here.map((connector) => startedConnector(connector, relay !== null).connector));
  for (const mark of lifecycle.marks) {
    if (known.has(mark.connector) || table === undefined) continue;
    const recovers = args.recoveredOutputs?.find(({ endpoint }) => mark.connector === `output:${endpoint}`);
    const options = {
      ...(recovers === undefined ? {} : { recovers }),
      host,
      clock,
      deadlines,
      baseFolder,
      relation: relationOf(mark.connector, program) ?? table.relation,
      pipeline,
      pipelineId,
    };
    try {
      const connector = revive(mark);
      if (connector === null) throw new ConnectorUnknown({ endpoint: mark.connector, direction: mark.type });
      await lifecycle.delete(mark.connector, (call) => tellDeleted(connector, call, options));
    } catch (error) {
      // Nobody would deliver it any more.
      if (recovers !== undefined) throw error;
      log.warn(`connector ${mark.connector} is gone and could not be told`, { error: errorToData(error) });
    }
  }
}

/** An output is told of the columns that it has written: those of its view, where that is still there. */
function relationOf(connector: string, { tables, views }: SupervisorArguments['program']): Relation | null {
  const endpoint = /^output:(.+)$/s.exec(connector)?.[1] ?? '';
  const name = endpoint.slice(0, Math.max(0, endpoint.lastIndexOf('.')));
  return [...tables, ...views].find(({ relation }) => relation.name === name)?.relation ?? null;
}
