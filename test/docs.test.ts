// The printed pages of docs/ are what the code says, and links between pages lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { registry } from '../connectors/registry.ts';
import { validateParameters } from '../connectors/sdk/validate-parameters.ts';
import { connectorSnippets } from './connector-snippets.ts';
import { docsPages, root } from './docs-pages.ts';

test('printed pages are up to date (npm run docs writes them)', async () => {
  for (const [page, text] of await docsPages()) {
    const path = join(root, 'docs', page);
    assert.ok(existsSync(path), `docs/${page} is missing`);
    assert.is(readFileSync(path, 'utf8'), text, `docs/${page} is out of date`);
  }
});

test('what pages of connectors begin with is a valid configuration, and its example is there', () => {
  for (const [name, { yaml, example }] of Object.entries(connectorSnippets)) {
    const { inputs, outputs } = parse(yaml);
    const [connector] = Object.values<{ transport: { name: string; config: object } }>(inputs ?? outputs);
    assert.is(connector?.transport.name, name);
    const all = inputs === undefined ? registry.destinations : registry.sources;
    const definition = all.find((each) => each.name === name);
    const { problems } = validateParameters(definition?.parameters ?? [], connector?.transport.config, () => ({}), []);
    assert.equal(problems, [], name);
    assert.ok(existsSync(join(root, 'examples', example, 'pipeline.yaml')), name);
    assert.match(readFileSync(join(root, 'examples', example, 'pipeline.yaml'), 'utf8'), name);
  }
});

test('links between the pages lead to files that exist', () => {
  const pages = (readdirSync(join(root, 'docs'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, 'docs', name));
  for (const page of [...pages, join(root, 'README.md')]) {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(resolve(dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

test.run();
