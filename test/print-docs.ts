// `npm run docs`: writes the printed pages of docs/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { docsPages, docsPath, root } from './docs-pages.ts';

for (const [page, text] of await docsPages()) {
  const path = join(root, 'docs', page);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(docsPath(page));
}
