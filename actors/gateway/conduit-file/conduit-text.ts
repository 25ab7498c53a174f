// Which pipeline file is one of Conduit's and not one of our own. Nearly every file is told by a look, so that a command on a file of ours
// loads nothing of what reads Conduit's: the YAML parser comes where the look is not enough.
import { readFileSync } from 'node:fs';
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

/** Whether a document of a YAML text has `pipelines`. */
export async function isConduitText(text: string): Promise<boolean> {
  if (!/^["']?pipelines["']?\s*:/m.test(text)) return false;
  const { isMap, parseAllDocuments } = await import('yaml');
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' });
  return Array.isArray(documents) && documents.some(({ contents }) => isMap(contents) && contents.has('pipelines'));
}
