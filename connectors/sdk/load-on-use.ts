// Definitions whose code is loaded when it is used: what a registry holds of a connector that stands on much code.
//
// Every thread loads the registry, and a thread needs one or two connectors of all that ship with Millrace. What validation,
// documentation and lists look at (name, parameters, summary) is a declaration, in a file that imports nothing; what makes the
// connector is imported the first time that somebody asks `loaded` for it. A definition whose code is small stands in a registry as it is.
import type { DestinationDefinition } from './destination.ts';
import type { BlockInputFormat, OutputFormat, StreamInputFormat } from './format.ts';
import type { ProcessorDefinition } from './processor.ts';
import type { SourceDefinition } from './source.ts';

export type SourceDeclaration = Omit<SourceDefinition, 'create'>;
export type DestinationDeclaration = Omit<DestinationDefinition, 'create'>;
export type ProcessorDeclaration = Omit<ProcessorDefinition, 'create'>;
export type StreamInputFormatDeclaration = Omit<StreamInputFormat, 'splitter' | 'decoder'>;
export type OutputFormatDeclaration = Omit<OutputFormat, 'encoder'>;

/** A definition, or a declaration and the way to the definition. */
export type Registered<Declaration, Definition extends Declaration> =
  | Definition
  | (Declaration & { readonly load: () => Promise<Definition> });

export type RegisteredSource = Registered<SourceDeclaration, SourceDefinition>;
export type RegisteredDestination = Registered<DestinationDeclaration, DestinationDefinition>;
export type RegisteredProcessor = Registered<ProcessorDeclaration, ProcessorDefinition>;
/** A format of blocks loads its halves itself. */
export type RegisteredInputFormat = Registered<StreamInputFormatDeclaration, StreamInputFormat> | BlockInputFormat;
export type RegisteredOutputFormat = Registered<OutputFormatDeclaration, OutputFormat>;

/** `onUse(fooDeclaration, async () => (await import('./foo/source.ts')).foo)` */
export function onUse<Declaration extends object, Definition extends Declaration>(
  declaration: Declaration,
  load: () => Promise<Definition>,
): Declaration & { readonly load: () => Promise<Definition> } {
  return { ...declaration, load };
}

type DefinitionOf<R> = R extends { readonly load: () => Promise<infer Definition> } ? Definition : R;

/** The definition itself. */
export async function loaded<R extends object>(registered: R): Promise<DefinitionOf<R>> {
  const found: unknown = 'load' in registered && typeof registered.load === 'function' ? registered.load() : registered;
  // SAFETY: what `load` resolves to, where there is one, and the definition itself where there is none.
  return found as DefinitionOf<R> | Promise<DefinitionOf<R>>;
}
