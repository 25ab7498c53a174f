// Reads a pipeline file: YAML (or JSON, which is YAML) whose keys are those of PipelineDefinition, with the place of every key, so that
// each problem found later can be named by file, line and column.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { PlaceOf } from '../../connectors/sdk/parameters.ts';
import { type CodedErrorClass, defineError, type MillraceError, type Place } from '../../runtime/errors.ts';

export const PipelineFileUnreadable: CodedErrorClass<{ readonly file: string; readonly reason: string }> = defineError(
  'config.unreadable_file',
  { help: 'Check the path and the permissions of the pipeline file.' },
  (f) => `cannot read ${f.file}: ${f.reason}`,
);
export const PipelineFileSyntax: CodedErrorClass<{ readonly detail: string }> = defineError(
  'config.invalid_yaml',
  { help: 'Correct the YAML at the place that is named.' },
  (f) => f.detail,
);

/** A file that has been read. `definition` is checked by validatePipeline, not here. */
export interface PipelineFile {
  /** As the user would write it: relative to the working folder where that is shorter. */
  readonly file: string;
  readonly baseFolder: string;
  readonly definition: unknown;
  readonly placeOf: PlaceOf;
  /** Where the SQL text begins, so that SQL positions become positions in the file; null when there is none. */
  readonly programPlace: { readonly line: number; readonly indent: number } | null;
  readonly problems: readonly MillraceError[];
}

/** A file's text, and how the user would write its path. @throws PipelineFileUnreadable */
export function readPipelineText(path: string): {
  readonly file: string;
  readonly absolute: string;
  readonly text: string;
} {
  const absolute = resolve(path);
  const near = relative(process.cwd(), absolute);
  const file = near.startsWith('..') || near === '' ? absolute : near;
  let bytes: Buffer;
  try {
    bytes = readFileSync(absolute);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
    };
    throw new PipelineFileUnreadable({ file, reason: reasons[code] ?? String(error) }, { cause: error });
  }
  // Read as if it were UTF-8, a path or a literal of the user's would silently become another one.
  if (!isUtf8(bytes)) throw new PipelineFileUnreadable({ file, reason: 'it is not encoded in UTF-8' });
  return { file, absolute, text: bytes.toString('utf8') };
}

/** @throws PipelineFileUnreadable. YAML errors are `problems`: all of them, with positions. */
export function readPipelineFile(path: string): PipelineFile {
  const { file, absolute, text } = readPipelineText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  // A warning is a tag that nobody knows: its value would be taken as something else than is meant.
  const problems = [...document.errors, ...document.warnings].map(
    (error) => new PipelineFileSyntax({ detail: detailOf(error) }, { place: at(error.pos[0]) }),
  );
  const definition = problems.length > 0 ? null : plainValue(document, problems, at(0));
  const placeOf: PlaceOf = (wanted) => ({ ...at(offsetOf(document, wanted)), path: wanted.join('.') });
  return {
    file,
    baseFolder: dirname(absolute),
    definition,
    placeOf,
    programPlace: problems.length > 0 ? null : locateProgram(document, text, lines),
    problems,
  };
}

/** What the parser says, where it speaks to a programmer, in words for the author of the file. */
function detailOf({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a pipeline file is one document';
  return message === stackOverflow ? tooDeep : message;
}

const stackOverflow = 'Maximum call stack size exceeded';
const tooDeep = 'maps and lists are nested too deep';

/** The values of a document without syntax errors; what is wrong with its aliases is a problem. */
function plainValue(document: Document.Parsed, problems: MillraceError[], place: Place): unknown {
  let isCircular = false;
  visit(document, {
    Alias: (_, alias, path) => void (isCircular ||= path.some((node) => node === alias.resolve(document))),
  });
  if (isCircular) {
    problems.push(new PipelineFileSyntax({ detail: 'an alias stands inside of what it names' }, { place }));
    return null;
  }
  try {
    return document.toJS();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const detail = message === stackOverflow ? tooDeep : message;
    problems.push(new PipelineFileSyntax({ detail }, { cause: error, place }));
    return null;
  }
}

/** Offset of the deepest existing part of a path: the key of a map's entry, the item of a list. */
function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? start(node) : 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : '') === String(part));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = start(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (!isNode(node)) break;
      offset = start(node);
    } else break;
  }
  return offset;
}

function start(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** A block scalar (`program: |`) begins on the next line, indented; other scalars begin where they stand. */
function locateProgram(
  document: Document.Parsed,
  text: string,
  lines: LineCounter,
): { line: number; indent: number } | null {
  const node = document.get('program', true);
  if (!isScalar(node) || typeof node.value !== 'string' || node.range == null) return null;
  const { line, col } = lines.linePos(node.range[0]);
  if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') {
    return { line, indent: node.type === 'PLAIN' ? col - 1 : col };
  }
  const body = text.slice(text.indexOf('\n', node.range[0]) + 1, node.range[1]);
  const indent = /^( *)\S/m.exec(body)?.[1]?.length ?? 0;
  return { line: line + 1, indent };
}
