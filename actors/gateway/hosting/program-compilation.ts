// What the server needs from the compiler: the relations of a program and the connectors that it declares, or its problems.
//
// The compiler and the registry are given from outside (Validation), because a gateway knows no engine. Connectors are
// only read here, as the program spells them: their transports are validated when the pipeline starts.

import type { MillraceError } from '../../../runtime/errors.ts';
import type { BoundProgram } from '../../engine/messages.ts';
import type { Validation } from './validation.ts';

/** A connector as the program declares it. */
export interface DeclaredConnector {
  /** `relation.name`, `relation.unnamed-0` by position without a name. */
  readonly endpoint: string;
  readonly relation: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

export interface CompiledPipeline {
  readonly program: BoundProgram | null;
  readonly problems: readonly MillraceError[];
  readonly inputs: readonly DeclaredConnector[];
  readonly outputs: readonly DeclaredConnector[];
  /** What is wrong with the JSON of a relation's connectors. */
  readonly connectorProblems: readonly { readonly message: string; readonly line: number; readonly column: number }[];
}

export function compilePipeline(text: string, validation: Validation): CompiledPipeline {
  const { program, problems } = validation.compile(text, {});
  const connectorProblems: { message: string; line: number; column: number }[] = [];
  const read = (definitions: Iterable<BoundProgram['tables'][number] | BoundProgram['views'][number]>) =>
    [...definitions].flatMap(({ relation, connectors }) => {
      if (connectors === null) return [];
      const { place } = connectors;
      try {
        return declaredConnectors(relation.name, connectors.json);
      } catch (error) {
        const message = `connectors of '${relation.name}': ${error instanceof Error ? error.message : String(error)}`;
        connectorProblems.push({ message, line: place.line ?? 0, column: place.column ?? 0 });
        return [];
      }
    });
  const inputs = read(program?.tables ?? []);
  const outputs = read(program?.views ?? []);
  return { program, problems, inputs, outputs, connectorProblems };
}

/** @throws Error when it is no JSON array of objects with a transport, or a name stands twice. */
function declaredConnectors(relation: string, json: string): DeclaredConnector[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) throw new Error('not a list of objects');
  const taken = new Set<string>();
  return list.map((item: unknown, position) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new Error(`[${position}] is no object`);
    // SAFETY: an object that is neither null nor a list.
    const { name, ...definition } = item as Record<string, unknown>;
    if (typeof definition['transport'] !== 'object') throw new Error(`[${position}] has no transport`);
    const label = typeof name === 'string' ? name : `unnamed-${position}`;
    if (taken.has(label)) throw new Error(`there are two connectors '${label}'`);
    taken.add(label);
    return { endpoint: `${relation}.${label}`, relation, definition };
  });
}
