// What modules of functions that users write declare, for those who compile programs; the code is left to the thread that computes
// (function-modules.ts).
//
// A module is named by its file, relative to the pipeline's folder. Who may name one decides whose code runs: pipeline files and
// the embedded API do, requests over HTTP do not.
import { resolve } from 'node:path';
import { MillraceError, type Place } from '../../runtime/errors.ts';
import { importReason } from '../../runtime/import-reason.ts';
import { type CompiledProgram, compileProgram } from './sql/compile-program.ts';
import { declaredTypes, isTakenName } from './sql/declared-types.ts';
import { exportsOf, FunctionModuleNotLoaded } from './sql/function-modules.ts';
import type { SqlTextOptions } from './sql/sql-text.ts';
import type { UserFunction } from './sql/user-function.ts';

/** A compiler that knows the functions of the modules that `definition` names under `functions`, and what is wrong with those. */
export async function compilerFor(
  definition: unknown,
  baseFolder: string,
  place?: Place,
): Promise<{
  readonly compile: (text: string, options: SqlTextOptions) => CompiledProgram;
  readonly problems: readonly MillraceError[];
}> {
  const { functions, problems } = await declaredFunctions(functionModulesOf(definition, baseFolder), place);
  return { compile: (text, options) => compileProgram(text, { ...options, functions }), problems };
}

/** The files that a definition names under `functions`, absolute. What is neither text nor a list of texts is refused elsewhere. */
function functionModulesOf(definition: unknown, baseFolder: string): readonly string[] {
  if (typeof definition !== 'object' || definition === null || !('functions' in definition)) return [];
  const given: unknown = definition.functions;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  return list.filter((file) => typeof file === 'string').map((file) => resolve(baseFolder, file));
}

/** What the modules declare, without the code. A module that has a problem is left out. */
async function declaredFunctions(
  files: readonly string[],
  place: Place = {},
): Promise<{ readonly functions: readonly UserFunction[]; readonly problems: readonly MillraceError[] }> {
  const functions: UserFunction[] = [];
  const problems: MillraceError[] = [];
  for (const file of files) {
    const refuse = (reason: string, cause?: unknown): void => {
      problems.push(new FunctionModuleNotLoaded({ file, reason }, { place, cause }));
    };
    try {
      const found = await exportsOf(file);
      if (found.length === 0) refuse('it exports nothing that defineFunction or defineAggregate has made');
      for (const code of found) {
        const name = code.name.toLowerCase();
        const types = code.kind === 'sql function' ? code.parameters : [code.parameter];
        if (isTakenName(name) || functions.some((known) => known.name === name)) {
          refuse(`"${code.name}" is the name of another function`);
          continue;
        }
        const declared = declaredTypes(types, code.result);
        if (declared instanceof MillraceError) {
          refuse(`the types of "${code.name}": ${declared.message}`, declared);
          continue;
        }
        const kind = code.kind === 'sql function' ? 'function' : 'aggregate';
        functions.push({ kind, name, module: file, ...declared, passesNull: code.onNull === 'pass', evaluate: null });
      }
    } catch (cause) {
      refuse(importReason(cause), cause);
    }
  }
  return { functions, problems };
}
