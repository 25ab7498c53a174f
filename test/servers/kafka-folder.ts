// The formatted data folder of a Kafka node. What Kafka's own program writes there is the same for every node but for two ids: it is asked once
// for a machine, and for folders with users in them; starting it takes longer than everything else that is done there.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qk';
const records = 'bootstrap.checkpoint';

/** `file` describes the node; `formatArguments` are of Kafka's program: users of SCRAM. */
export function formatKafkaFolder(lib: string, file: string, formatArguments: readonly string[]): void {
  const properties = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const folder = properties.get('log.dirs') ?? '';
  const known = join(dirname(lib), records);
  if (formatArguments.length === 0 && existsSync(known)) {
    mkdirSync(folder);
    copyFileSync(known, join(folder, records));
    const own = {
      'node.id': properties.get('node.id'),
      'directory.id': randomBytes(16).toString('base64url'),
      version: 1,
      'cluster.id': clusterId,
    };
    const lines = Object.entries(own).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(join(folder, 'meta.properties'), lines.join(''));
    return;
  }
  const java = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(lib, '*')];
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...formatArguments];
  execFileSync('java', [...java, ...format], { stdio: 'pipe' });
  if (formatArguments.length > 0) return;
  // It has its name when it is complete: two at a time do not meet.
  const own = `${known}-${process.pid}`;
  copyFileSync(join(folder, records), own);
  renameSync(own, known);
}
