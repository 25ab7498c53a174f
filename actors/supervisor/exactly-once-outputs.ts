// What an output that delivers exactly once asks of its pipeline: checkpoints, and that nothing is given to it twice or kept from it. Pure.
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { MillraceError, Place } from '../../runtime/errors.ts';
import { ConfigExactlyOnce } from './configuration-errors.ts';

/** `placeOf` finds the configuration of an output's transport. */
export function exactlyOnceProblems(
  outputs: readonly OutputConnector[],
  keepsCheckpoints: boolean,
  placeOf: (endpoint: string) => Place,
): readonly MillraceError[] {
  return outputs.flatMap((output) => {
    if (output.isExactlyOnce !== true) return [];
    const { endpoint } = output;
    return reasons(output, keepsCheckpoints).map(
      (detail) => new ConfigExactlyOnce({ endpoint, detail }, { place: placeOf(endpoint) }),
    );
  });
}

function reasons({ onFull, sendSnapshot }: OutputConnector, keepsCheckpoints: boolean): readonly string[] {
  const found: string[] = [];
  if (!keepsCheckpoints) {
    found.push(
      'the pipeline takes no checkpoints: give it a data folder (`millrace run --data FOLDER`, `Pipeline.open({ dataFolder })`), or storage where a server has switched it off',
    );
  }
  if (onFull === 'drop') found.push('`on_full: drop` leaves rows out');
  if (sendSnapshot) found.push('`send_snapshot` sends what is there again at each start');
  return found;
}
