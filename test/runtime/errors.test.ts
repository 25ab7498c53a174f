// Errors as data: what has no code of ours is told as a defect, but for what a system says when a process has reached its limits.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorToData } from '../../runtime/errors.ts';

test('what was thrown without a code is a defect; its causes are kept', () => {
  const { code, message, causes } = errorToData(new Error('outer', { cause: 'inner' }));
  assert.equal(
    [code, message, causes.map((cause) => [cause.code, cause.message])],
    ['runtime.unexpected', 'outer', [['runtime.unexpected', 'inner']]],
  );
});

test('a process that may open no more files says so, and how to let it', () => {
  const module = fileURLToPath(new URL('../../runtime/errors.js', import.meta.url));
  const script = `
    import { openSync } from 'node:fs';
    import { errorToData } from '${module}';
    try {
      for (;;) openSync('/dev/null', 'r');
    } catch (error) {
      const { code, message, help } = errorToData(error);
      console.log(JSON.stringify({ code, message, help }));
    }`;
  const command = `ulimit -n 64 && exec "$0" --input-type=module -e "$1"`;
  const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
  assert.match(stdout, /"runtime\.too_many_files".*EMFILE.*ulimit -n/, stderr);
});

test.run();
