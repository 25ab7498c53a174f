// `millrace infer FILE`: a CREATE TABLE and a connector definition for a file that is there.
//
// The kind of file is told from its first bytes and its name. A Parquet file says its columns itself; of a text file the
// first mebibyte is read, and `notes` says so. Nothing is written.
import { open } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { fileTypeOf, naturalSqlType } from '../formats/parquet-conversion.ts';
import { columnsOf, readDirectory } from '../formats/parquet-directory.ts';
import type { RandomAccess } from '../sdk/source.ts';
import { inferCsv } from './infer-csv.ts';
import { inferJson } from './infer-json.ts';
import { createTable, type InferredColumn, type InferredFile } from './inferred-table.ts';

export const InferNothing: CodedErrorClass<{ readonly path: string; readonly reason: string }> = defineError(
  'infer.nothing',
  { help: 'Write the CREATE TABLE by hand, or give a file with records at its beginning.' },
  (f) => `${f.path}: ${f.reason}`,
);

export const InferUnreadable: CodedErrorClass<{ readonly path: string; readonly reason: string }> = defineError(
  'infer.unreadable_file',
  { help: 'Check the path and the permissions of the file.' },
  (f) => `cannot read ${f.path}: ${f.reason}`,
);

export interface InferOptions {
  /** Default: the file's name. */
  readonly table?: string;
  /** Bytes of a text file that are looked at. Default 1 MiB. */
  readonly sampleBytes?: number;
}

export interface InferredRelation {
  readonly table: string;
  /** CREATE TABLE. */
  readonly sql: string;
  /** An entry of `inputs`, for YAML or the embedded API. */
  readonly connector: {
    readonly stream: string;
    readonly transport: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
    readonly format: { readonly name: string; readonly config?: Readonly<Record<string, unknown>> };
  };
  readonly columns: readonly InferredColumn[];
  /** What the types rest on, and what else the user should know, in whole sentences. */
  readonly note: string;
}

const sampleBytesDefault = 1024 * 1024;

/** @throws InferUnreadable, InferNothing when the file has no records, a coded error when it is no readable Parquet file. */
export async function inferRelation(path: string, options: InferOptions = {}): Promise<InferredRelation> {
  const file = resolve(path);
  const inferred = await inferFile(file, options.sampleBytes ?? sampleBytesDefault);
  if (inferred.columns.length === 0) throw new InferNothing({ path, reason: 'no columns were found' });
  const table = options.table ?? tableNameOf(file);
  return {
    table,
    sql: createTable(table, inferred.columns),
    connector: { stream: table, transport: { name: 'file_input', config: { path } }, format: inferred.format },
    columns: inferred.columns,
    note: inferred.notes.join(' '),
  };
}

async function inferFile(path: string, sampleBytes: number): Promise<InferredFile> {
  const handle = await open(path, 'r').catch((cause) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing) throw new InferUnreadable({ path, reason: 'there is no such file' });
    throw new InferUnreadable({ path, reason: cause instanceof Error ? cause.message : String(cause) });
  });
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new InferUnreadable({ path, reason: 'it is a folder' });
    const access: RandomAccess = {
      size: stats.size,
      read: async (offset, length) => {
        const bytes = new Uint8Array(length);
        const { bytesRead } = await handle.read(bytes, 0, length, offset);
        return bytesRead === length ? bytes : bytes.slice(0, bytesRead);
      },
    };
    const sample = await access.read(0, Math.min(stats.size, sampleBytes), new AbortController().signal);
    if (new TextDecoder('latin1').decode(sample.subarray(0, 4)) === 'PAR1') return await inferParquet(access, path);
    // No text has this byte, nor do CSV and JSON.
    if (sample.includes(0)) throw new InferNothing({ path, reason: 'is neither text nor Parquet' });
    const complete = sample.length === stats.size;
    const text = new TextDecoder().decode(sample);
    const inferred = isJson(path, text) ? inferJson(text) : inferCsv(text, complete);
    const part = complete ? `all ${stats.size} bytes` : `the first ${sample.length} of ${stats.size} bytes`;
    const note = `Types were inferred from ${part} (${inferred.records} records).`;
    return { ...inferred, notes: [note, ...inferred.notes] };
  } finally {
    await handle.close();
  }
}

async function inferParquet(access: RandomAccess, path: string): Promise<InferredFile> {
  const metadata = await readDirectory(access, new AbortController().signal);
  const columns: InferredColumn[] = [];
  const notes = ['Types are those that the Parquet file declares.'];
  for (const { element, nested } of columnsOf(metadata)) {
    const type = nested ? null : naturalSqlType(fileTypeOf(element));
    if (type === null)
      notes.push(`Column "${element.name}" of ${basename(path)} was left out: it is nested or unknown.`);
    else columns.push({ name: element.name, type, nullable: element.repetition_type !== 'REQUIRED' });
  }
  return { columns, format: { name: 'parquet' }, records: null, notes };
}

function isJson(path: string, text: string): boolean {
  const extension = extname(path).toLowerCase();
  if (['.json', '.ndjson', '.jsonl'].includes(extension)) return true;
  if (['.csv', '.tsv', '.psv'].includes(extension)) return false;
  return /^\uFEFF?\s*[[{]/.test(text);
}

function tableNameOf(path: string): string {
  const name = basename(path)
    .replace(/\..*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_');
  return name === '' ? 'table_1' : /^\d/.test(name) ? `t_${name}` : name;
}
