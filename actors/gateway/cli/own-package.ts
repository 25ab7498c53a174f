// Where a package that is made next to this one gets Millrace from: a registry, if this one came from there, else its own folder.
//
// npm notes in `node_modules/.package-lock.json` what it has installed from where. A checkout is in no such folder.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { member, text } from './reply-fields.ts';

/** What stands behind `"millrace":` among the dependencies. `folder` is that of package.json. */
export function dependencyOnMillrace(folder: string, version: string): string {
  const modules = dirname(folder);
  if (basename(modules) !== 'node_modules') return `file:${folder}`;
  const name = basename(folder);
  const entry = member(member(readJson(join(modules, '.package-lock.json')), 'packages'), `node_modules/${name}`);
  const resolved = text(entry, 'resolved');
  // What another package manager has installed is taken for what most packages are.
  return resolved === '' || /^https?:/.test(resolved) ? `^${version}` : `file:${folder}`;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
