// WebAssembly modules that are written out byte by byte, for what no compiler makes: programs that trap, hang or import what is not there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const opcodes = {
  unreachable: [0x00],
  /** loop, br 0, end */
  endlessLoop: [0x03, 0x40, 0x0c, 0x00, 0x0b],
  nothing: [],
} as const;

const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
const section = (id: number, content: readonly number[]): number[] => [id, content.length, ...content];

export interface ModuleParts {
  /** Of the function `_start`. */
  readonly body: readonly number[];
  /** Module and name of a function without parameters and results. */
  readonly imported?: readonly [string, string];
  /** Pages at the start; then at most. */
  readonly memory?: readonly number[];
}

export function wasmBytes({ body, imported, memory = [1] }: ModuleParts): Uint8Array<ArrayBuffer> {
  const imports = imported === undefined ? [] : section(2, [1, ...text(imported[0]), ...text(imported[1]), 0, 0]);
  const start = imported === undefined ? 0 : 1;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 0, 0]),
    ...imports,
    ...section(3, [1, 0]),
    ...section(5, [1, memory.length - 1, ...memory]),
    ...section(7, [2, ...text('_start'), 0, start, ...text('memory'), 2, 0]),
    ...section(10, [1, body.length + 2, 0, ...body, 0x0b]),
  ]);
}

/** With the path of a file that has these bytes, and is gone afterwards. */
export async function withWasmFile<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-wasm-'));
  const path = join(folder, 'module.wasm');
  writeFileSync(path, bytes);
  try {
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
