// Which pipeline file is one of Conduit's and not one of our own. Nearly every file is told by a look, so that a command on a file of ours
// loads nothing of what reads Conduit's: the YAML parser comes where the look is not enough.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';

/** False for what cannot be read: the one who reads it says why. */
export async function isConduitFile(path: string): Promise<boolean> {
  if (!/^\.ya?ml$/i.test(extname(path))) return false;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return false;
  }
  return await isConduitText(text);
}

/** A file of Conduit, or a folder with YAML files: only Conduit keeps its pipelines in folders. False for what cannot be read. */
export async function isConduitPath(path: string): Promise<boolean> {
  try {
    if (statSync(path).isDirectory()) return readdirSync(path).some((name) => /\.ya?ml$/i.test(name));
  } catch {
    return false;
  }
  return await isConduitFile(path);
}

/** Whether a document of a YAML text has `pipelines`. */
export async function isConduitText(text: string): Promise<boolean> {
  if (!/^["']?pipelines["']?\s*:/m.test(text)) return false;
  const { isMap, parseAllDocuments } = await import('yaml');
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' });
  return Array.isArray(documents) && documents.some(({ contents }) => isMap(contents) && contents.has('pipelines'));
}
