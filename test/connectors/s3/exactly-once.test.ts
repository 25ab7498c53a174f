// s3_output with exactly-once delivery, as the runtime calls it, against a real server: what is seen when, and what a process that died leaves
// for the next one.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { s3Output } from '../../../connectors/s3/destination.ts';
import type { CheckpointNote, Destination } from '../../../connectors/sdk/destination.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';
import { bigint, contextFor, relationOf, type TestContext } from '../connector-context.ts';

const exact = suite('s3_output, exactly once');
const server = await startS3Server(['out', 'other']);
if ('missing' in server) {
  console.log(`skipped: s3_output, exactly once: ${server.missing}`);
  exact('is not tried here', () => {});
} else {
  exact.after(async () => await server.close());
  const { client, url } = server;

  type Recovered = readonly [checkpoint: string, note: CheckpointNote];
  const made: Destination[] = [];
  exact.after.each(async () => {
    for (const destination of made.splice(0)) await destination.teardown?.();
  });

  const make = (given: object, clock: Clock = systemClock): [Destination, TestContext] => {
    const settings = { ...s3Access, bucket_name: 'out', endpoint_url: url, delivery: 'exactly_once', ...given };
    const { values, problems } = validateParameters(s3Output.parameters, settings, () => ({}), []);
    if (problems[0] !== undefined) throw problems[0];
    const context = { ...contextFor(relationOf({ n: bigint }), '.', clock), pipeline: 'p' };
    const destination = s3Output.create(values, context);
    made.push(destination);
    return [destination, context];
  };
  const opened = async (given: object, from: Recovered | null, clock?: Clock): Promise<Destination> => {
    const [destination] = make(given, clock);
    await destination.open();
    await destination.recover?.(from?.[0] ?? null, from === null ? null : JSON.parse(JSON.stringify(from[1])));
    return destination;
  };
  const write = async (destination: Destination, text: string): Promise<void> => {
    await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode(text), records: 1 });
    await destination.flush?.();
  };
  const prepare = async (destination: Destination, checkpoint: string): Promise<Recovered> => {
    const note = await destination.prepare?.(checkpoint);
    if (typeof note !== 'object') throw new Error('nothing was noted');
    return [checkpoint, note];
  };
  const keys = async (prefix: string, bucket = 'out'): Promise<readonly string[]> => {
    const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return found.map(({ Key }) => Key ?? '');
  };
  /** What a reader finds who goes by the keys. */
  const shown = async (prefix: string, bucket = 'out'): Promise<string> => {
    let all = '';
    for (const Key of await keys(prefix, bucket)) {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      all += await body?.transformToString();
    }
    return all;
  };
  const uploads = async (prefix: string): Promise<number> => {
    const { Uploads: found = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket: 'out', Prefix: prefix }),
    );
    return found.length;
  };

  exact('objects are seen with the checkpoint that holds them, and not before', async () => {
    const destination = await opened({ prefix: 'seen/', suffix: '.json' }, null);
    await write(destination, 'a');
    await write(destination, 'b');
    await prepare(destination, 'c1');
    await write(destination, 'c');
    assert.is(await shown('seen/'), '');
    await destination.commit?.('c1');
    assert.is(await shown('seen/'), 'ab');
    await prepare(destination, 'c2');
    await destination.commit?.('c2');
    await prepare(destination, 'c3');
    await destination.commit?.('c3');
    assert.is(await shown('seen/'), 'abc');
    assert.ok((await keys('seen/')).every((key) => /^seen\/\d{8}T\d{9}Z-00000[123]-[0-9a-f]{12}\.json$/.test(key)));
    assert.is(await uploads('seen/'), 0);
  });

  exact('what died in front of its checkpoint is aborted, and comes again', async () => {
    const first = await opened({ prefix: 'again/' }, null);
    await write(first, 'a');
    const c1 = await prepare(first, 'c1');
    await first.commit?.('c1');
    await write(first, 'b');
    await prepare(first, 'never stored');
    await write(first, 'x');
    const second = await opened({ prefix: 'again/' }, c1);
    assert.equal([await shown('again/'), await uploads('again/')], ['a', 0]);
    await write(second, 'bx');
    await prepare(second, 'c2');
    await second.commit?.('c2');
    assert.is(await shown('again/'), 'abx');
  });

  exact(
    'what died between the storing of its checkpoint and the commit is completed by the next run, once',
    async () => {
      const first = await opened({ prefix: 'between/' }, null);
      await write(first, 'a');
      await prepare(first, 'c1');
      await write(first, 'b');
      await write(first, 'c');
      const c2 = await prepare(first, 'c2');
      await write(first, 'x');
      // Some of it was committed.
      await first.commit?.('c1');
      for (let run = 0; run < 3; run++) {
        await opened({ prefix: 'between/' }, c2);
        assert.equal([await shown('between/'), await uploads('between/')], ['abc', 0]);
      }
    },
  );

  exact('a large object goes up in parts while it is written', async () => {
    const destination = await opened({ prefix: 'large/' }, null);
    const piece = new Uint8Array(6 << 20).fill(65);
    for (let i = 0; i < 4; i++) await destination.write({ kind: 'bytes', bytes: piece, records: 1 });
    assert.is(await uploads('large/'), 1);
    await destination.flush?.();
    const c1 = await prepare(destination, 'c1');
    assert.is(await shown('large/'), '');
    await opened({ prefix: 'large/' }, c1);
    assert.is((await shown('large/')).length, 24 << 20);
  });

  exact('keys of a later run sort behind those before, whatever the clock says', async () => {
    const at = (ms: number): Clock => ({ ...systemClock, now: () => ms });
    const first = await opened({ prefix: 'order/' }, null, at(Date.UTC(2026, 1, 1)));
    await write(first, 'a');
    const c1 = await prepare(first, 'c1');
    await first.commit?.('c1');
    const second = await opened({ prefix: 'order/' }, c1, at(Date.UTC(2025, 1, 1)));
    await write(second, 'b');
    await prepare(second, 'c2');
    await second.commit?.('c2');
    assert.is(await shown('order/'), 'ab');
  });

  exact(
    'objects that a reader has taken away do not come again; of an upload that is gone for long it is told',
    async () => {
      const first = await opened({ prefix: 'taken/' }, null);
      await write(first, 'a');
      const c1 = await prepare(first, 'c1');
      await first.commit?.('c1');
      for (const Key of await keys('taken/')) await client.send(new DeleteObjectCommand({ Bucket: 'out', Key }));
      for (const days of [0, 3]) {
        const later = { ...systemClock, now: () => systemClock.now() + days * 86_400_000 };
        const [next, context] = make({ prefix: 'taken/' }, later);
        await next.open();
        await next.recover?.(...c1);
        assert.equal(context.reported, days === 0 ? [] : ['s3.upload_gone']);
        assert.is(await shown('taken/'), '');
      }
    },
  );

  exact('uploads of other outputs under the same prefix are left alone', async () => {
    const one = await opened({ prefix: 'both/', output_id: 'one' }, null);
    await write(one, 'a');
    const c1 = await prepare(one, 'c1');
    const two = await opened({ prefix: 'both/', output_id: 'two' }, null);
    await write(two, 'b');
    await prepare(two, 'c1');
    assert.is(await uploads('both/'), 2);
    await opened({ prefix: 'both/', output_id: 'one' }, c1);
    await two.commit?.('c1');
    assert.is((await shown('both/')).split('').sort().join(''), 'ab');
  });

  exact('an output that has another name by now goes on all the same', async () => {
    const first = await opened({ prefix: 'named/', output_id: 'old' }, null);
    await write(first, 'a');
    const c1 = await prepare(first, 'c1');
    await write(first, 'x');
    await opened({ prefix: 'named/', output_id: 'new' }, c1);
    assert.equal([await shown('named/'), await uploads('named/')], ['a', 0]);
  });

  exact(
    'another bucket is gone on with where the one before has its objects; what waits goes with the connector',
    async () => {
      const first = await opened({ prefix: 'moved/' }, null);
      await write(first, 'a');
      const c1 = await prepare(first, 'c1');
      const second = await opened({ prefix: 'moved/', bucket_name: 'other' }, c1);
      assert.is(await shown('moved/'), 'a');
      await write(second, 'b');
      await prepare(second, 'c2');
      await second.commit?.('c2');
      assert.is(await shown('moved/', 'other'), 'b');
      const third = await opened({ prefix: 'gone/' }, null);
      await write(third, 'x');
      await prepare(third, 'c1');
      assert.is(await uploads('gone/'), 1);
      await make({ prefix: 'gone/' })[0].onDeleted?.({});
      assert.is(await uploads('gone/'), 0);
    },
  );
}

exact.run();
