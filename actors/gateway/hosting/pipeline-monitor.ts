// Looks at a deployed pipeline once a second: a sample for its chart, and the errors of its connectors for its descriptor.
import { systemClock } from '../../../runtime/clock.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { LiveDeployment } from './live-deployment.ts';
import { storageBytes, timeText } from './pipeline-record.ts';

const intervalMs = 1_000;

export function monitor(pipeline: HostedPipeline, deployment: LiveDeployment): void {
  let isBusy = false;
  const look = async (): Promise<void> => {
    const stats = await deployment.call('stats', (control) => control.stats());
    pipeline.numConnectorErrors = countErrors(stats, deployment);
    pipeline.series.add({
      t: timeText(systemClock.now()),
      r: stats.engine?.processedRecords ?? 0,
      m: stats.memory.rssBytes,
      s: storageBytes(pipeline.record),
    });
  };
  const timer = systemClock.every(intervalMs, () => {
    pipeline.storageMbSeconds += (storageBytes(pipeline.record) / 1e6) * (intervalMs / 1_000);
    if (isBusy) return;
    isBusy = true;
    look()
      // A pipeline that is ending does not answer.
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  });
  deployment.ended.addEventListener('abort', () => timer.cancel(), { once: true });
}

export function countErrors(stats: PipelineStats, deployment: LiveDeployment): number {
  let sum = 0;
  for (const input of stats.inputs) sum += input.numParseErrors + input.numTransportErrors;
  for (const output of stats.outputs) sum += output.numEncodeErrors + output.numTransportErrors;
  for (const input of deployment.apiInputs.values()) sum += input.numParseErrors;
  return sum;
}
