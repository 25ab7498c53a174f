// The directory of a Parquet file: read from its end, checked, and turned into blocks, one for each row group.
//
// A block is the smallest range of bytes that holds the chunks of all columns which the table has; its description says
// where each chunk lies inside and how its values become the column's. Columns are matched by name without regard to
// case; a quoted SQL column has to match exactly. What the table lacks is left alone, what the file lacks is filled.
// Nothing in the directory is believed before it has been compared with the size of the file.
import { type FileMetaData, parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import type { Field } from '../../runtime/batch/schema.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';
import type { Block, DecoderContext } from '../sdk/format.ts';
import type { RandomAccess } from '../sdk/source.ts';
import type { ChunkDescription } from './parquet-column-chunk.ts';
import { chooseConversion, fileTypeOf, formatFileType } from './parquet-conversion.ts';
import {
  ParquetColumnType,
  ParquetDamaged,
  ParquetForeign,
  ParquetMissingColumn,
  ParquetNested,
  ParquetNoColumn,
  ParquetTruncated,
  ParquetUnknownColumn,
  ParquetUnsupported,
} from './parquet-errors.ts';

/** What decoding a row group needs besides its bytes. Plain data: it crosses to another thread. */
export interface RowGroupDescription {
  /** A chunk for each column of the table; null: the column is not in the file. */
  readonly chunks: readonly (ChunkDescription | null)[];
  /** Columns of the file that the table lacks; said once, by the first row group. */
  readonly unknownColumns: number;
  /** Row of the file at which the row group begins, from 0. */
  readonly firstRow: number;
}

/** A leaf column of a file. */
export interface FileColumn {
  readonly element: SchemaElement;
  /** Place among the column chunks of every row group. */
  readonly ordinal: number;
  readonly nested: boolean;
}

const tailBytes = 64 * 1024;
const magic = 0x31524150;
/** No writer makes row groups this long; a directory that claims it must not make us allocate for it. */
const rowsOfRowGroupMax = 2 ** 27;

/** Reads and checks the directory. @throws a coded error when there is none. */
export async function readDirectory(input: RandomAccess, signal: AbortSignal): Promise<FileMetaData> {
  const { size } = input;
  const head = await input.read(0, Math.min(4, size), signal);
  if (!isMagic(head, 0)) throw new ParquetForeign({ size });
  if (size < 12) throw new ParquetTruncated({ size, detail: 'it has no directory' });
  let tail = await input.read(Math.max(0, size - tailBytes), Math.min(size, tailBytes), signal);
  if (!isMagic(tail, tail.length - 4)) throw new ParquetTruncated({ size, detail: 'it does not end with PAR1' });
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - 8, true);
  if (length > size - 12) throw new ParquetTruncated({ size, detail: `its directory should have ${length} bytes` });
  if (length + 8 > tail.length) tail = await input.read(size - length - 8, length + 8, signal);
  try {
    const metadata = parquetMetadata(tail, { geoparquet: false });
    checkShape(metadata);
    return metadata;
  } catch (cause) {
    throw new ParquetDamaged({ detail: 'its directory cannot be read' }, { cause });
  }
}

/** What the library's types promise but a damaged directory does not keep: required parts can be missing. */
function checkShape(metadata: FileMetaData): void {
  const lists: readonly unknown[] = [metadata.schema, metadata.row_groups];
  if (!lists.every(Array.isArray)) throw new Error('the schema or the row groups are missing');
  for (const { name } of metadata.schema) if (typeof name !== 'string') throw new Error('a column has no name');
  for (const group of metadata.row_groups) if (!Array.isArray(group.columns)) throw new Error('columns are missing');
}

/** The leaf columns at the top level and, marked as nested, the groups. */
export function columnsOf(metadata: FileMetaData): readonly FileColumn[] {
  const [root, ...elements] = metadata.schema;
  const columns: FileColumn[] = [];
  let ordinal = 0;
  let at = 0;
  for (let child = 0; child < (root?.num_children ?? 0); child++) {
    const element = elements[at];
    if (element === undefined) throw new ParquetDamaged({ detail: 'its schema is incomplete' });
    const nested = (element.num_children ?? 0) > 0 || element.repetition_type === 'REPEATED';
    columns.push({ element, ordinal, nested });
    // A group is skipped with everything below it; its leaves have chunks of their own.
    for (let pending = 1; pending > 0; pending--) {
      const inner = elements[at++];
      if (inner === undefined) throw new ParquetDamaged({ detail: 'its schema is incomplete' });
      pending += inner.num_children ?? 0;
      if (inner.type !== undefined) ordinal++;
    }
  }
  return columns;
}

/** The blocks of a file for a table. @throws a coded error when file and table do not go together. */
export function planBlocks(metadata: FileMetaData, size: number, context: DecoderContext): readonly Block[] {
  const columns = columnsOf(metadata);
  const { fields } = context.relation.schema;
  const taken = new Set<FileColumn>();
  const matches = fields.map((field, i) => {
    const column = findColumn(columns, field);
    if (column === undefined) {
      if (field.nullable || context.defaults[i] != null) return null;
      throw new ParquetMissingColumn({ column: field.name, inFile: namesOf(columns) });
    }
    taken.add(column);
    return column;
  });
  if (taken.size === 0) {
    throw new ParquetNoColumn({ inTable: fields.map((field) => field.name), inFile: namesOf(columns) });
  }
  const surplus = columns.filter((column) => !taken.has(column));
  if (context.strict && surplus[0] !== undefined) {
    throw new ParquetUnknownColumn({ column: surplus[0].element.name, table: context.relation.name });
  }
  const shapes = matches.map((column, i) => (column === null ? null : shapeOf(column, fields[i] as Field)));
  let firstRow = 0;
  return metadata.row_groups.map((group, i) => {
    const block = planBlock(group, shapes, size, firstRow, i === 0 ? surplus.length : 0);
    firstRow += block.rows;
    return block;
  });
}

/** What is the same of a column in every row group. */
type ColumnShape = Omit<ChunkDescription, 'codec' | 'offset' | 'length' | 'uncompressedBytes'> & {
  readonly ordinal: number;
};

function shapeOf(column: FileColumn, field: Field): ColumnShape {
  const { element, ordinal } = column;
  if (column.nested) throw new ParquetNested({ column: element.name });
  const conversion = chooseConversion(fileTypeOf(element), field.type);
  if (conversion === null || element.type === undefined) {
    const inFile = formatFileType(element);
    throw new ParquetColumnType({ column: element.name, inFile, inTable: formatSqlType(field.type) });
  }
  const typeLength = element.type === 'FIXED_LEN_BYTE_ARRAY' ? (element.type_length ?? 0) : 0;
  if (typeLength < 0 || (typeLength === 0 && element.type === 'FIXED_LEN_BYTE_ARRAY')) {
    throw new ParquetDamaged({ detail: `column "${element.name}" has no length` });
  }
  const optional = element.repetition_type === 'OPTIONAL';
  return { name: element.name, physical: element.type, typeLength, optional, conversion, ordinal };
}

function planBlock(
  group: RowGroup,
  shapes: readonly (ColumnShape | null)[],
  size: number,
  firstRow: number,
  unknownColumns: number,
): Block {
  const rows = exact(group.num_rows, 'a number of rows');
  if (rows > rowsOfRowGroupMax) throw new ParquetUnsupported({ detail: `a row group of ${rows} rows` });
  let start = size;
  let end = 0;
  const chunks = shapes.map((shape): ChunkDescription | null => {
    if (shape === null) return null;
    const chunk = group.columns[shape.ordinal];
    const data = chunk?.meta_data;
    if (chunk?.file_path !== undefined) throw new ParquetUnsupported({ detail: 'columns in files of their own' });
    if (chunk?.crypto_metadata !== undefined) throw new ParquetUnsupported({ detail: 'encryption' });
    if (data === undefined) throw new ParquetDamaged({ detail: `column "${shape.name}" is missing in a row group` });
    const dataOffset = exact(data.data_page_offset, 'an offset');
    const dictionaryOffset =
      data.dictionary_page_offset === undefined ? 0 : exact(data.dictionary_page_offset, 'an offset');
    // Some writers put 0 for "no dictionary".
    const offset = dictionaryOffset > 0 ? Math.min(dictionaryOffset, dataOffset) : dataOffset;
    const length = exact(data.total_compressed_size, 'a length');
    const uncompressedBytes = exact(data.total_uncompressed_size, 'a length');
    if (offset + length > size) {
      throw new ParquetTruncated({ size, detail: `column "${shape.name}" should end at ${offset + length}` });
    }
    if (exact(data.num_values, 'a number of values') !== rows || data.type !== shape.physical) {
      throw new ParquetDamaged({ detail: `column "${shape.name}" does not agree with its row group` });
    }
    start = Math.min(start, offset);
    end = Math.max(end, offset + length);
    const { ordinal: _, ...rest } = shape;
    return { ...rest, codec: data.codec, offset, length, uncompressedBytes };
  });
  const placed = chunks.map((chunk) => (chunk === null ? null : { ...chunk, offset: chunk.offset - start }));
  const description: RowGroupDescription = { chunks: placed, unknownColumns, firstRow };
  return { offset: start, length: end - start, rows, description };
}

function findColumn(columns: readonly FileColumn[], field: Field): FileColumn | undefined {
  const same = columns.find((column) => column.element.name === field.name);
  if (same !== undefined || field.quoted === true) return same;
  return columns.find((column) => column.element.name.toLowerCase() === field.name.toLowerCase());
}

function namesOf(columns: readonly FileColumn[]): readonly string[] {
  return columns.map((column) => column.element.name);
}

function exact(value: unknown, what: string): number {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ParquetDamaged({ detail: `its directory lacks ${what}` });
  }
  return Number(value);
}

function isMagic(bytes: Uint8Array, at: number): boolean {
  return (
    at >= 0 && bytes.length >= at + 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) === magic
  );
}
