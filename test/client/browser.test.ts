// The client in a real Chromium, unbundled, with the network cut and the server restarted in between; and the plain
// snippets, fetch with a line reader and EventSource. Where no Chromium is found the tests are skipped, in CI they fail.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { delimiter, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../client.ts';
import { type ServedPipeline, servePipeline, until } from './served-pipeline.ts';

const compiled = resolve(fileURLToPath(import.meta.url), '..', '..', '..');

function findChromium(): string | null {
  const given = process.env['MILLRACE_CHROMIUM'];
  if (given !== undefined && given !== '') return given;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

/** Serves the compiled client as it is, and a page that loads it. */
async function servePage(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
    if (path === '/') {
      response.setHeader('content-type', 'text/html');
      return response.end('<!doctype html><title>client</title><link rel="icon" href="data:,"><ul></ul>');
    }
    const file = join(compiled, path);
    const isClient = path === '/client.js' || path.startsWith('/connectors/http/client/');
    if (!isClient || !path.endsWith('.js') || !existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', 'text/javascript');
    return response.end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/`, server };
}

interface Context {
  browser: Browser;
  served: ServedPipeline;
  page: Page;
  pageServer: Server;
}

const executablePath = findChromium();
/** Of a browser that does not start or a page that does not load. */
const limitMs = 120_000;

if (executablePath === null && process.env['CI'] !== 'true') {
  const skipped = suite('browser');
  console.log('skipped: the client in a browser: no chromium on the PATH and no MILLRACE_CHROMIUM');
  skipped.skip('the client in a real Chromium', () => {});
  skipped('no Chromium is here', () => assert.is(executablePath, null));
  skipped.run();
} else {
  // SAFETY: `before` fills it before any test reads it.
  const browserSuite = suite<Context>('browser', {} as Context);

  browserSuite.before(async (context) => {
    assert.ok(executablePath !== null, 'CI needs a Chromium: apt-get install chromium, or MILLRACE_CHROMIUM');
    context.browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: limitMs });
    context.served = await servePipeline('shop');
    const { url, server } = await servePage();
    context.pageServer = server;
    context.page = await context.browser.newPage();
    context.page.setDefaultTimeout(limitMs);
    await context.page.goto(url);
    await connect({ url: context.served.proxy.url, pipeline: 'shop' }).start();
  });

  browserSuite.after(async ({ browser, served, pageServer }) => {
    await browser?.close();
    pageServer?.closeAllConnections();
    pageServer?.close();
    await served?.close();
  });

  const push = async (url: string, id: number, customer: string): Promise<void> => {
    const client = connect({ url, pipeline: 'shop' });
    await client.completed(await client.inputJson('orders', [{ id, customer, amount: 500 }]), { timeoutMs: 100_000 });
  };

  browserSuite('a live view survives a cut of the network and a restart of the server', async ({ page, served }) => {
    const { url } = served.proxy;
    await push(url, 1, 'Ada');
    await page.evaluate(`(async () => {
      const { connect } = await import('/client.js');
      const client = connect({ url: ${JSON.stringify(url)}, pipeline: 'shop', retry: { initialMs: 20, maxMs: 200, attemptsMax: 10000 } });
      window.live = client.live('customers');
      window.states = [];
      window.reasons = [];
      live.onState((state) => states.push(state));
      live.onChange(({ snapshot, reason }) => {
        if (snapshot) reasons.push(reason);
        document.querySelector('ul').replaceChildren(...live.rows().map(({ customer }) => {
          const item = document.createElement('li');
          item.textContent = customer;
          return item;
        }));
      });
      await live.ready;
    })()`);
    const shown = (): Promise<string[]> => page.locator('li').allTextContents();
    assert.equal(await shown(), ['Ada']);

    await push(url, 2, 'Grace');
    await until('the second row is shown', async () => (await shown()).join() === 'Ada,Grace');

    served.proxy.cut();
    await until('the cut is noticed', () => page.evaluate(`states.at(-1) === 'reconnecting'`));
    served.proxy.mend();
    await push(url, 3, 'Rob');
    await until('the third row is shown', async () => (await shown()).join() === 'Ada,Grace,Rob');
    assert.equal(await page.evaluate('reasons'), ['requested']);

    served.proxy.cut();
    await served.restart();
    served.proxy.mend();
    await until('a snapshot was taken', () => page.evaluate('live.snapshots === 2'));
    assert.equal(await page.evaluate('reasons'), ['requested', 'incarnation_changed']);
    await push(url, 4, 'Edsger');
    await until('the row after the restart is shown', async () => (await shown()).includes('Edsger'));
    const rows = await connect({ url, pipeline: 'shop' }).query('SELECT customer FROM customers');
    assert.equal((await shown()).sort(), rows.map(({ customer }) => String(customer)).sort());
    await page.evaluate('live.close()');
  });

  browserSuite('fetch with a line reader, and EventSource, get the changes', async ({ page, served }) => {
    const { url } = served.proxy;
    const address = JSON.stringify(`${url}/v0/pipelines/shop/egress/customers?format=json`);
    await page.evaluate(`(async () => {
      window.lines = [];
      window.events = [];
      const source = new EventSource(${address});
      source.onmessage = ({ data }) => events.push(...(JSON.parse(data).json_data ?? []));
      await new Promise((resolve) => { source.onopen = resolve; });
      const response = await fetch(${address});
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      (async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          for (const line of decoder.decode(value, { stream: true }).split('\\n')) {
            if (line.trim() !== '') lines.push(...(JSON.parse(line).json_data ?? []));
          }
        }
      })();
    })()`);
    await push(url, 100, 'Barbara');
    const expected = JSON.stringify([{ insert: { customer: 'Barbara' } }]);
    await until('the line', async () => (await page.evaluate('JSON.stringify(lines)')) === expected);
    await until('the event', async () => (await page.evaluate('JSON.stringify(events)')) === expected);
  });

  browserSuite.run();
}
