// Reads pipeline files of Conduit: YAML with several documents, each with a list of pipelines without SQL. All problems of a
// file are found at once, each with its place; a document that is no YAML does not hinder the others.
//
// Not here: whether the plugins exist and take their settings (check-plugins.ts).
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import { ConfigInvalidValue } from '../../../connectors/sdk/configuration-errors.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import { PipelineFileSyntax, readPipelineText } from '../pipeline-file.ts';
import { FileIdDuplicate, FileVersionUnknown } from './file-errors.ts';
import { type FileVersion, fileVersion, latestVersion } from './file-version.ts';
import { type FilePipeline, readPipeline } from './read-pipeline.ts';
import { YamlNode, type YamlReading } from './yaml-node.ts';

export interface ConduitFile {
  /** As the user would write it. */
  readonly file: string;
  /** Relative paths of connectors start at the folder of the process, as in Conduit; this is the file's own. */
  readonly folder: string;
  readonly pipelines: readonly FilePipeline[];
  readonly problems: readonly MillraceError[];
  readonly warnings: readonly MillraceError[];
}

/** @throws PipelineFileUnreadable */
export function readConduitFile(path: string, environment: Readonly<Record<string, string | undefined>>): ConduitFile {
  const { file, absolute, text } = readPipelineText(path);
  return { ...parseConduitText(text, file, environment), folder: dirname(absolute) };
}

export function parseConduitText(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Omit<ConduitFile, 'folder'> {
  const lines = new LineCounter();
  const problems: MillraceError[] = [];
  const warnings: MillraceError[] = [];
  const pipelines: FilePipeline[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true });
  for (const document of Array.isArray(documents) ? documents : []) {
    const syntax = document.errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0]);
      return new PipelineFileSyntax({ detail: error.message }, { place: { file, line, column: col } });
    });
    problems.push(...syntax);
    if (syntax.length > 0) continue;
    const reading: YamlReading = { file, document, lines, environment, problems, warnings };
    pipelines.push(...readDocument(new YamlNode(reading, isNode(document.contents) ? document.contents : null)));
  }
  problems.push(...duplicates([{ pipelines }]));
  return { file, pipelines, problems, warnings };
}

function readDocument(root: YamlNode): readonly FilePipeline[] {
  if (root.isEmpty) return [];
  const version = readVersion(root);
  if (version === null) return [];
  const fields = root.fields(['version', 'pipelines'], { owner: 'a pipeline file', isLenient: version.isNewer });
  const list = fields.get('pipelines');
  if (list === undefined) return [];
  const found = version.isKeyed
    ? [...list.entries()].map(([id, node]) => readPipeline(node, id, version))
    : list.items().map((node) => readPipeline(node, null, version));
  return found.filter((pipeline) => pipeline !== null);
}

function readVersion(root: YamlNode): FileVersion | null {
  if (!root.isMap) {
    root.refuse('is no mapping with "version" and "pipelines"');
    return null;
  }
  const node = root.entries().get('version');
  if (node === undefined || node.isEmpty) {
    const reason = 'is not given: the file is read as one of the latest version, 2.2';
    root.warning(new ConfigInvalidValue({ key: 'version', reason }, { place: root.place }));
    return latestVersion;
  }
  const text = node.text();
  const version = fileVersion(text);
  if (version === null) node.problem(new FileVersionUnknown({ version: text }, { place: node.place }));
  return version;
}

/** A pipeline whose id stands twice is told at each place but the first. */
export function duplicates(files: readonly Pick<ConduitFile, 'pipelines'>[]): readonly MillraceError[] {
  const seen = new Set<string>();
  const problems: MillraceError[] = [];
  for (const { definition, node } of files.flatMap(({ pipelines }) => pipelines)) {
    const { id } = definition;
    if (seen.has(id)) problems.push(new FileIdDuplicate({ what: 'pipelines', id }, { place: node.place }));
    seen.add(id);
  }
  return problems;
}

/** The file itself, or the YAML files of a folder by name; folders inside it are not looked into. @throws PipelineFileUnreadable */
export function conduitFilesAt(path: string): readonly string[] {
  let isFolder = false;
  try {
    isFolder = statSync(path).isDirectory();
  } catch {
    // Reading it says why it cannot be read.
  }
  if (!isFolder) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /\.ya?ml$/i.test(basename(entry.name)))
    .map(({ name }) => join(path, name))
    .sort();
}
