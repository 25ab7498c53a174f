// The audit log: what stands in it, what never does, and that it does not grow for ever.
import { existsSync, readFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuditLog } from '../../../../actors/gateway/access/audit-log.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { quietLog, withFolder } from '../../store/trial-folder.ts';

function request(method: string, url: string): IncomingMessage {
  const made = new IncomingMessage(new Socket());
  Object.assign(made, { url, method, headers: { authorization: 'Bearer apikey:secret' } });
  return made;
}

test('requests that change something or are refused stand in it, without their queries', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'audit.log');
    const audit = new AuditLog({ file, clock: systemClock, log: quietLog, keyOf: () => 'a' });
    audit.record(request('POST', '/v0/pipelines/p/start?api_key=apikey:secret'), 'r1', 202);
    audit.record(request('GET', '/v0/pipelines'), 'r2', 200);
    audit.record(request('GET', '/v0/pipelines/p/query?sql=SELECT+secret'), 'r3', 403);
    audit.record(request('POST', '/v0/pipelines/p/ingress/t'), 'r4', 200);
    audit.record(request('GET', '/v0/api_keys'), 'r5', 200);
    await audit.flush();
    const text = readFileSync(file, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(
      lines.map(({ request_id, key, method, path, status }) => [request_id, key, method, path, status]),
      [
        ['r1', 'a', 'POST', '/v0/pipelines/p/start', 202],
        ['r3', 'a', 'GET', '/v0/pipelines/p/query', 403],
        ['r5', 'a', 'GET', '/v0/api_keys', 200],
      ],
    );
    assert.not(text.includes('secret'));
  }));

test('a full file is put aside, and the latest five stay', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'audit.log');
    const audit = new AuditLog({ file, clock: systemClock, log: quietLog, keyOf: () => null, bytesMax: 10 });
    for (let i = 0; i < 8; i++) {
      audit.record(request('DELETE', `/v0/pipelines/p${i}`), `r${i}`, 200);
      await audit.flush();
    }
    assert.ok(readFileSync(file, 'utf8').includes('p7'));
    assert.ok(readFileSync(`${file}.4`, 'utf8').includes('p3'));
    assert.not(existsSync(`${file}.5`));
  }));

test.run();
