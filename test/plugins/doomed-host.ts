// A host that starts a plugin, prints the number of its process, and waits to be killed: `node doomed-host.js PATH`.
import { execFileSync } from 'node:child_process';
import { hostedSource } from './plugin-host.ts';

const path = process.argv[2] ?? '';
const { connector } = hostedSource(path, { 'sdk.schema.extract.payload.enabled': 'false' });
await connector.configure?.();
const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
const line = children.split('\n').find((child) => child.includes(path) && !child.includes('/bin/sh')) ?? '';
process.stdout.write(`${line.trim().split(' ')[0]}\n`);
setInterval(() => {}, 1000);
