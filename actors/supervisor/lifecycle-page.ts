// Prints docs/lifecycle.md from the two transition tables: a diagram (mermaid) and a table (state x event) for each.
// Pure text; written to disk by `npm run docs`, compared by a test.
import { connectorEvents, connectorStates, peekConnectorState } from './connector-lifecycle.ts';
import { peekPipelineState, pipelineEvents, pipelineStates } from './pipeline-lifecycle.ts';

/** The whole page. */
export function lifecyclePage(): string {
  return [
    '# Lifecycle',
    '',
    'Printed from `actors/supervisor/pipeline-lifecycle.ts` and `actors/supervisor/connector-lifecycle.ts` by',
    '`npm run docs`; do not edit. An empty cell is an event that cannot happen in that state.',
    '',
    '## Pipeline',
    '',
    ...section(pipelineStates, pipelineEvents, peekPipelineState),
    '',
    '## Connector',
    '',
    'An input connector walks through all of it; an output is never told to wait.',
    '',
    ...section(connectorStates, connectorEvents, peekConnectorState),
    '',
  ].join('\n');
}

function section<State extends string, Event extends string>(
  states: readonly State[],
  events: readonly Event[],
  peek: (state: State, event: Event) => State | null,
): string[] {
  const edges = states.flatMap((state) =>
    events.flatMap((event) => {
      const next = peek(state, event);
      return next === null ? [] : [`  ${state} --> ${next}: ${event}`];
    }),
  );
  const initial = states[0];
  const diagram = ['```mermaid', 'stateDiagram-v2', `  [*] --> ${initial}`, ...edges, '```'];
  const head = [`| state | ${events.join(' | ')} |`, `| --- | ${events.map(() => '---').join(' | ')} |`];
  const rows = states.map(
    (state) => `| \`${state}\` | ${events.map((event) => peek(state, event) ?? '').join(' | ')} |`,
  );
  return [...diagram, '', ...head, ...rows];
}
