// Connectors that are remembered and gone from the definition: each is told so, on a fresh instance, before the pipeline starts.
//
// What cannot be told now (its plugin is missing, it refuses, it hangs) is still owed at the next start, and keeps nothing from starting.
import type { Connector } from '../../connectors/sdk/connector-configuration.ts';
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
    const options = { host, clock, deadlines, baseFolder, relation: table.relation, pipeline, pipelineId };
    try {
      const connector = revive(mark);
      if (connector === null) throw new ConnectorUnknown({ endpoint: mark.connector, direction: mark.type });
      await lifecycle.delete(mark.connector, (call) => tellDeleted(connector, call, options));
    } catch (error) {
      log.warn(`connector ${mark.connector} is gone and could not be told`, { error: errorToData(error) });
    }
  }
}
