// What the thread of a WebAssembly processor and the thread that has made it say to one another, and the codes that the module gets.
// Both ends are of one process and one version. Schemas travel as the bytes of connutils.v1.

import type { CompiledModule } from './web-assembly.ts';

/** What the thread is made with. */
export interface WasmThreadData {
  readonly module: CompiledModule;
  readonly environment: Readonly<Record<string, string>>;
  /** One number that grows with every message to the thread. */
  readonly sent: SharedArrayBuffer;
}

export type ToWasmThread =
  | { readonly kind: 'command'; readonly bytes: Uint8Array }
  /** A number is one of the codes below. */
  | { readonly kind: 'schema'; readonly answer: Uint8Array | number }
  | { readonly kind: 'end' };

export type FromWasmThread =
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | { readonly kind: 'schema'; readonly call: 'create' | 'get'; readonly bytes: Uint8Array }
  | { readonly kind: 'printed'; readonly channel: 'stderr' | 'stdout'; readonly bytes: Uint8Array }
  /** null: it ended as it should. */
  | { readonly kind: 'ended'; readonly detail: string | null };

/** Answers that are no sizes, as the SDK knows them. */
export const wasmCodes = {
  noMoreCommands: 4_294_967_294,
  internal: 4_294_967_290,
  subjectNotFound: 4_294_967_289,
  versionNotFound: 4_294_967_288,
  invalidSchema: 4_294_967_287,
  egressDisabled: 4_294_967_286,
} as const;
