// References to fields of a record, as processors name them: .Key, .Payload.After.name, .Metadata["opencdc.collection"], .Operation.
//
// A reference is parsed once and applied to drafts: records that the processor owns and may change. Setting a field makes the maps on
// the way to it; reading and removing one that is not there does nothing. Positions cannot be changed.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { type ConnectorRecord, type RecordData, recordOperations, type StructuredValue } from '../sdk/record.ts';

export const FieldReferenceInvalid: CodedErrorClass<{ readonly reference: string; readonly reason: string }> =
  defineError(
    'processor.field_reference_invalid',
    {
      help: 'Name a field as .Key, .Operation, .Metadata["name"], .Payload.Before, .Payload.After or .Payload.After.name.',
    },
    (f) => `the reference "${f.reference}" ${f.reason}`,
  );

export const FieldUnusable: CodedErrorClass<{ readonly reference: string; readonly reason: string }> = defineError(
  'processor.field_unusable',
  { help: 'Decode raw data first (json.decode), or give the processor a condition.' },
  (f) => `${f.reference} ${f.reason}`,
);

/** A record that may be changed: its maps are nobody else's. */
export interface RecordDraft {
  readonly position: Uint8Array;
  operation: ConnectorRecord['operation'];
  metadata: Record<string, string>;
  key: RecordData;
  before: RecordData;
  after: RecordData;
}

export interface FieldReference {
  readonly text: string;
  /** Names from the record down, as the record spells them. */
  readonly path: readonly string[];
}

const roots = ['Key', 'Metadata', 'Operation', 'Payload', 'Position'];

/** @throws FieldReferenceInvalid */
export function parseFieldReference(text: string): FieldReference {
  const path: string[] = [];
  let at = 0;
  const part = /\.([\p{L}_][\p{L}\p{Nd}_-]*)|\["((?:[^"\\]|\\.)*)"\]/uy;
  for (part.lastIndex = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null)
      throw new FieldReferenceInvalid({ reference: text, reason: `is malformed at "${text.slice(at)}"` });
    path.push(match[1] ?? String(JSON.parse(`"${match[2]}"`)));
  }
  const [first, second] = path;
  const root = roots.find((name) => name === first || name.toLowerCase() === first);
  if (root === undefined) {
    const suggestion =
      first === undefined
        ? undefined
        : nearestName(
            `.${first}`,
            roots.map((name) => `.${name}`),
          );
    throw new FieldReferenceInvalid({ reference: text, reason: 'names no field of a record' }, { suggestion });
  }
  path[0] = root;
  if (root === 'Payload' && second !== undefined) {
    const half = ['Before', 'After'].find((name) => name === second || name.toLowerCase() === second);
    if (half === undefined) {
      const suggestion = nearestName(second, ['Before', 'After']);
      throw new FieldReferenceInvalid(
        { reference: text, reason: 'is neither .Payload.Before nor .Payload.After' },
        { suggestion },
      );
    }
    path[1] = half;
  }
  if ((root === 'Position' || root === 'Operation') && path.length > 1) {
    throw new FieldReferenceInvalid({ reference: text, reason: `goes below .${root}, which has no fields` });
  }
  if (root === 'Metadata' && path.length > 2) {
    throw new FieldReferenceInvalid({ reference: text, reason: 'goes below an entry of .Metadata, which is a text' });
  }
  return { text, path };
}

/** How many names of the path lead to raw or structured data: 1 for .Key, 2 for .Payload.After; 0: it is no such reference. */
export function dataDepth({ path }: FieldReference): number {
  if (path[0] === 'Key') return 1;
  return path[0] === 'Payload' && path.length > 1 ? 2 : 0;
}

/** undefined: there is no such field. */
export function getField(draft: RecordDraft, reference: FieldReference): StructuredValue | undefined {
  const { path } = reference;
  switch (path[0]) {
    case 'Position':
      return draft.position;
    case 'Operation':
      return draft.operation;
    case 'Metadata':
      if (path.length === 1) return draft.metadata;
      return ownValue(draft.metadata, path[1] ?? '');
  }
  const depth = dataDepth(reference);
  if (depth === 0) return { before: draft.before, after: draft.after };
  let value: StructuredValue | undefined = dataOf(draft, path);
  for (const [i, name] of path.slice(depth).entries()) {
    if (value === null || value === undefined) return undefined;
    if (!isObject(value)) throw notStructured(path, depth + i);
    value = ownValue(value, name);
  }
  return value;
}

/** @throws FieldUnusable when the field cannot hold the value. */
export function setField(draft: RecordDraft, reference: FieldReference, value: StructuredValue): void {
  const { path, text } = reference;
  switch (path[0]) {
    case 'Position':
      throw new FieldUnusable({ reference: text, reason: 'cannot be changed' });
    case 'Operation': {
      const named = recordOperations.find((name, i) => name === value || i + 1 === Number(value));
      if (named === undefined) throw new FieldUnusable({ reference: text, reason: `cannot be ${String(value)}` });
      draft.operation = named;
      return;
    }
    case 'Metadata':
      setMetadata(draft, reference, value);
      return;
  }
  const depth = dataDepth(reference);
  if (depth === 0) throw new FieldUnusable({ reference: text, reason: 'cannot be set as a whole' });
  if (path.length === depth) {
    putData(draft, path, dataFrom(value, text));
    return;
  }
  const root = dataOf(draft, path);
  if (root instanceof Uint8Array) throw notStructured(path, depth);
  // SAFETY: a draft's maps are its own.
  let holder = (root ?? {}) as Record<string, StructuredValue>;
  if (root === null) putData(draft, path, holder);
  for (let i = depth; i < path.length - 1; i++) {
    const name = path[i] ?? '';
    const inner = ownValue(holder, name) ?? null;
    if (inner !== null && !isObject(inner)) throw notStructured(path, i + 1);
    // SAFETY: as above.
    const next = (inner ?? {}) as Record<string, StructuredValue>;
    if (inner === null) putValue(holder, name, next);
    holder = next;
  }
  putValue(holder, path.at(-1) ?? '', value);
}

/** Whether there was something to remove. */
export function deleteField(draft: RecordDraft, reference: FieldReference): boolean {
  const { path, text } = reference;
  if (path[0] === 'Position' || path[0] === 'Operation') {
    throw new FieldUnusable({ reference: text, reason: 'cannot be removed' });
  }
  if (path[0] === 'Metadata') {
    if (path.length === 1) draft.metadata = {};
    else delete draft.metadata[path[1] ?? ''];
    return true;
  }
  const depth = dataDepth(reference);
  if (depth === 0) [draft.before, draft.after] = [null, null];
  else if (path.length === depth) putData(draft, path, null);
  else {
    const holder = holderOf(draft, reference);
    if (holder === null || !Object.hasOwn(holder, path.at(-1) ?? '')) return false;
    delete holder[path.at(-1) ?? ''];
  }
  return true;
}

/** The map that holds the last name of the path; null: there is none. */
export function holderOf(draft: RecordDraft, reference: FieldReference): Record<string, StructuredValue> | null {
  const { path } = reference;
  if (path[0] === 'Metadata') return draft.metadata;
  const parent = getField(draft, { text: reference.text, path: path.slice(0, -1) });
  if (parent === null || parent === undefined) return null;
  if (!isObject(parent)) throw notStructured(path, path.length - 1);
  // SAFETY: a draft's maps are its own.
  return parent as Record<string, StructuredValue>;
}

function setMetadata(draft: RecordDraft, { path, text }: FieldReference, value: StructuredValue): void {
  const name = path[1];
  if (name !== undefined) {
    if (value === null) delete draft.metadata[name];
    else if (typeof value === 'string') putValue(draft.metadata, name, value);
    else throw new FieldUnusable({ reference: text, reason: 'holds texts only' });
    return;
  }
  if (value !== null && (!isObject(value) || Object.values(value).some((entry) => typeof entry !== 'string'))) {
    throw new FieldUnusable({ reference: text, reason: 'is a map of texts' });
  }
  // SAFETY: every value is a text, as was just seen.
  draft.metadata = { ...(value as Record<string, string> | null) };
}

function dataOf(draft: RecordDraft, path: readonly string[]): RecordData {
  if (path[0] === 'Key') return draft.key;
  return path[1] === 'Before' ? draft.before : draft.after;
}

function putData(draft: RecordDraft, path: readonly string[], data: RecordData): void {
  if (path[0] === 'Key') draft.key = data;
  else if (path[1] === 'Before') draft.before = data;
  else draft.after = data;
}

/** What .Key, .Payload.Before and .Payload.After can hold. */
function dataFrom(value: StructuredValue, reference: string): RecordData {
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new Uint8Array(Buffer.from(value));
  if (isObject(value)) return value;
  throw new FieldUnusable({
    reference,
    reason: `holds raw or structured data, no ${Array.isArray(value) ? 'list' : typeof value}`,
  });
}

function notStructured(path: readonly string[], length: number): Error {
  return new FieldUnusable({ reference: `.${path.slice(0, length).join('.')}`, reason: 'holds no structured data' });
}

export function isObject(value: StructuredValue | undefined): value is { readonly [name: string]: StructuredValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function ownValue<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

export function putValue<T>(map: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
}
