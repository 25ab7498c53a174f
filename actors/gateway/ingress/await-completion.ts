// When a token is as far as a client has asked for: its rows are in a step, or every output has them.
//
// "Delivered" is one waiting call. Whether rows are in a step is asked for again and again, at growing intervals: steps are
// short, and nobody tells of them.
import type { Clock } from '../../../runtime/clock.ts';
import type { Deployment } from '../hosting/deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { IngressRequest } from './ingress-request.ts';

const pollMsMin = 2;
const pollMsMax = 100;

/** @throws HttpProblem 503 with the token when it takes longer than the request allows. */
export async function awaitCompletion(
  deployment: Deployment,
  request: IngressRequest,
  token: string,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  if (request.wait === 'accepted') return;
  const given = new AbortController();
  const giveUp = (): void => given.abort(signal.reason);
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  const late = new HttpProblem({
    status: 503,
    code: 'IngressTimeout',
    message: `the rows were accepted but not ${request.wait} within timeout_ms`,
    details: { token },
  });
  const timer = request.timeoutMs === null ? null : clock.after(request.timeoutMs, () => given.abort(late));
  try {
    if (request.wait === 'delivered') {
      const options = { signal: given.signal };
      await deployment.wait('ingress', (control, waitId) => control.tokenCompleted(waitId, token), options);
      return;
    }
    for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMsMax, pollMs * 2)) {
      given.signal.throwIfAborted();
      const { step } = await deployment.call('ingress', (control) => control.completionStatus(token));
      if (step !== null) return;
      await new Promise<void>((resolve) => {
        clock.after(pollMs, resolve);
      });
    }
  } finally {
    timer?.cancel();
    signal.removeEventListener('abort', giveUp);
  }
}
