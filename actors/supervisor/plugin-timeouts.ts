// What the transport of plugin processes is told of deadlines: its own time-outs are never shorter than those of the pipeline, which count.
// Pure.
//
// The transport waits for a call with one time-out, whichever it is; the supervisor waits for each with its own. Where somebody has
// given a connector more time the transport has to give it as well.
import type { ConnectorDeadlines } from './connector-deadlines.ts';

/** The official SDK gives its own stop up to two minutes, and its teardown one. */
const stopMsMin = 125_000;
const teardownMsMin = 65_000;

/** Parameters of plugin_input and plugin_output. */
export function pluginTimeouts(deadlines: ConnectorDeadlines): Readonly<Record<string, string>> {
  const { configureMs, eventMs, openMs, stopMs, teardownMs } = deadlines;
  return {
    call_timeout: `${Math.max(configureMs, eventMs, openMs)}ms`,
    stop_timeout: `${Math.max(stopMs, stopMsMin)}ms`,
    teardown_timeout: `${Math.max(teardownMs, teardownMsMin)}ms`,
  };
}
