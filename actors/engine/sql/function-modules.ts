// The code of functions that users write, for the thread that computes: it loads the modules and nothing of the compiler.
// What modules declare is read by function-declarations.ts.
import { pathToFileURL } from 'node:url';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { type FunctionExport, type UserFunction, userEvaluator } from './user-function.ts';

export const FunctionModuleNotLoaded: CodedErrorClass<{ readonly file: string; readonly reason: string }> = defineError(
  'config.functions_not_loaded',
  {
    help: 'Name a JavaScript module (compile TypeScript first) that exports functions made by defineFunction or defineAggregate.',
  },
  (f) => `module of functions ${f.file}: ${f.reason}`,
);

/** The code of every handle, by name. @throws FunctionModuleNotLoaded when a module is not what it was at compile time. */
export async function loadFunctions(handles: readonly UserFunction[]): Promise<ReadonlyMap<string, UserFunction>> {
  const loaded = new Map<string, UserFunction>();
  for (const handle of handles) {
    const code = (await exportsOf(handle.module)).find(({ name }) => name.toLowerCase() === handle.name);
    if (code === undefined) {
      throw new FunctionModuleNotLoaded({ file: handle.module, reason: `it has no "${handle.name}" any more` });
    }
    handle.evaluate = userEvaluator(handle, code);
    loaded.set(handle.name, handle);
  }
  return loaded;
}

/** What a module exports that is a function or an aggregate. @throws whatever loading it throws. */
export async function exportsOf(file: string): Promise<FunctionExport[]> {
  const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
  return [...new Set(Object.values(exported))].filter(isFunctionExport);
}

function isFunctionExport(value: unknown): value is FunctionExport {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('name' in value)) return false;
  return (value.kind === 'sql function' || value.kind === 'sql aggregate') && typeof value.name === 'string';
}
