// `npm run example -- NAME`: an example that starts the server that it needs.
import { existsSync } from 'node:fs';

const names = ['s3', 'kafka', 'postgres', 'url'];
const [name = ''] = process.argv.slice(2);
const file = new URL(`./${name}/run.js`, import.meta.url);
if (names.includes(name) && existsSync(file)) await import(file.href);
else {
  console.error(`npm run example -- NAME: there are ${names.join(', ')} (and npm start: flights)`);
  process.exitCode = 2;
}
