// Options of Pipeline.open: what is a definition, what is not, what cannot go together.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openRequest } from '../../../../actors/gateway/embedded/open-request.ts';

test('a definition is spelled as in a pipeline file, without the options of the call', () => {
  const request = openRequest({
    program: 'SELECT',
    inputs: { a: { stream: 't' } },
    onError: 'skip',
    decodeWorkers: 2,
    integers: 'bigint',
    timeoutMs: 5,
    log: () => {},
    baseFolder: '/data',
    stepRowsMax: 7,
  });
  assert.equal(request, {
    source: {
      definition: { program: 'SELECT', inputs: { a: { stream: 't' } }, on_error: 'skip', decode_workers: 2 },
      baseFolder: '/data',
    },
    stepRowsMax: 7,
  });
});

test('relative paths start in the working folder when nothing else is said', () => {
  const { source } = openRequest({ program: '' });
  assert.is('baseFolder' in source && source.baseFolder, process.cwd());
});

test('a file stands alone', () => {
  assert.equal(openRequest({ file: 'p.yaml', timestamps: 'date' }), { source: { file: 'p.yaml' }, stepRowsMax: null });
  assert.throws(
    () => openRequest({ file: 'p.yaml', program: 'SELECT' } as never),
    /`program` cannot be given together/,
  );
});

test('a misspelt key goes into the definition, where it is refused with the nearest name', () => {
  const { source } = openRequest({ program: '', inptus: {} } as never);
  assert.ok('definition' in source && Object.hasOwn(source.definition as object, 'inptus'));
});

test.run();
