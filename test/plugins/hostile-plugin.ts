// A connector plugin that breaks the protocol in the way that its argument names: `node hostile-plugin.js MODE`. It speaks gRPC over
// node's own HTTP/2 and serves nothing besides what a mode needs: no standard streams, no health, no lifecycle events, no shutdown.
// Tests start it through a script of one line, since a host starts plugins without arguments.
import http2, { type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { ByteReader, ByteWriter } from '../../connectors/sdk/protobuf-wire.ts';

const mode = process.argv[2] ?? 'well';
const version = mode === 'v1' ? 1 : 2;
const recordTag = 0x0a;

switch (mode) {
  case 'silent':
    setInterval(() => {}, 1000);
    break;
  case 'no handshake':
    process.stdout.write('Hello, I am a web server\n');
    setInterval(() => {}, 1000);
    break;
  case 'strange version':
    process.stdout.write('1|9|unix|/tmp/x|grpc|\n');
    setInterval(() => {}, 1000);
    break;
  case 'leaks':
    process.stderr.write('[ERROR] no one is let in with s3cr3t-word at db://me:pass-word@host\n');
    process.exitCode = 5;
    break;
  case 'tells its environment':
    process.stderr.write(`GOGC=${process.env['GOGC']}\n`);
    process.exitCode = 5;
    break;
  case 'leaves':
    process.stderr.write('[ERROR] no license\n');
    process.exitCode = 5;
    break;
  default:
    serve();
}

function serve(): void {
  if (mode === 'flood') setInterval(() => process.stderr.write(`${'noise '.repeat(40)}\n`.repeat(500)), 1);
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(
      stream,
      String(headers[':path'] ?? '')
        .split('/')
        .at(-1) ?? '',
    );
  });
  if (mode === 'tcp') {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      process.stdout.write(`1|${version}|tcp|127.0.0.1:${port}|grpc|\n`);
    });
    return;
  }
  const path = join(process.env['TMPDIR'] ?? '/tmp', `hostile-${process.pid}`);
  server.listen(path, () => process.stdout.write(`1|${version}|unix|${path}|grpc|\n`));
}

function answer(stream: ServerHttp2Stream, call: string): void {
  switch (call) {
    case 'Configure':
    case 'Open':
    case 'Start':
      if (mode === 'exits at open' && call !== 'Configure') process.exit(6);
      reply(stream, new Uint8Array(0));
      return;
    case 'Teardown':
      if (mode === 'hangs at teardown') return;
      reply(stream, new Uint8Array(0));
      return;
    case 'Stop':
      if (mode === 'hangs at stop' || mode === 'late stop') return;
      reply(stream, mode === 'never comes' ? positionAnswer('p-99') : positionAnswer(lastSent));
      return;
    case 'Specify':
      reply(stream, specification());
      return;
    case 'Run':
      run(stream);
      return;
    default:
      refuse(stream, 12, 'unknown method');
  }
}

let lastSent = '';

function run(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    const [status, message] = mode === 'stream fails' ? ['2', 'the replication slot is gone'] : ['0', ''];
    stream.sendTrailers({ 'grpc-status': status, 'grpc-message': encodeURIComponent(message) });
  });
  if (process.env['CONDUIT_CONNECTOR_ID']?.endsWith('destination')) takeRecords(stream);
  else sendRecords(stream);
}

function sendRecords(stream: ServerHttp2Stream): void {
  const send = (...records: readonly Uint8Array[]): void => void stream.write(message(...records));
  stream.on('data', () => {});
  stream.on('end', () => stream.end());
  lastSent = 'p-1';
  switch (mode) {
    case 'garbage':
      send(record('p-1', 1));
      stream.write(framed(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])));
      return;
    case 'no gRPC':
      stream.write('HTTP is fun, and this is no message of gRPC at all');
      return;
    case 'no position':
      send(record('p-1', 1), record('', 1));
      return;
    case 'empty lists':
      send();
      send(record('p-1', 1));
      send();
      return;
    case 'unknown operation':
      send(record('p-1', 1), record('p-2', 77), record('p-3', 2));
      lastSent = 'p-3';
      return;
    case 'huge': {
      send(record('p-1', 1));
      // A record that says that it has 100 MB; they are sent, too.
      const body = new ByteWriter();
      body.tag(recordTag);
      body.view(record('p-2', 1, new Uint8Array(100_000_000)));
      stream.write(framed(body.finish()));
      return;
    }
    case 'one by one': {
      // The next record comes when the one before is confirmed.
      const text = (n: number): Uint8Array => Buffer.from(`${n}`.repeat(30));
      let sent = 1;
      send(record('p-1', 1, text(1)));
      stream.on('data', () => {
        lastSent = `p-${++sent}`;
        send(record(lastSent, 1, text(sent)));
      });
      return;
    }
    case 'stream ends':
    case 'stream fails':
      send(record('p-1', 1));
      stream.end();
      return;
    case 'exits':
      send(record('p-1', 1));
      process.stderr.write('[INFO] fine so far\npanic: out of luck\n\ngoroutine 1 [running]:\n');
      stream.once('data', () => process.exit(3));
      return;
    default:
      send(record('p-1', 1));
  }
}

function takeRecords(stream: ServerHttp2Stream): void {
  const positions: string[] = [];
  let rest = Buffer.alloc(0);
  const ack = (...acks: readonly (readonly [position: string, error: string])[]): void => {
    const writer = new ByteWriter();
    for (const [position, error] of acks) {
      const write = (inner: ByteWriter): void => {
        inner.tag(0x0a);
        inner.text(position);
        inner.tag(0x12);
        inner.text(error);
      };
      if (version === 1) write(writer);
      else {
        writer.tag(0x0a);
        writer.nested(write);
      }
    }
    stream.write(framed(writer.finish()));
  };
  stream.on('end', () => stream.end());
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const length = rest.readUInt32BE(1);
      const found = positionsOf(rest.subarray(5, 5 + length));
      rest = rest.subarray(5 + length);
      // The Go SDK ends its process at an empty list.
      if (found.length === 0) process.exit(99);
      positions.push(...found);
      lastSent = found.at(-1) ?? '';
      respond(found);
    }
  });
  const respond = (found: readonly string[]): void => {
    switch (mode) {
      case 'never acknowledges':
        return;
      case 'unknown ack':
        ack(['p-nowhere', '']);
        return;
      case 'acks in reverse':
        ack(...found.toReversed().map((position) => [position, ''] as const));
        return;
      case 'garbage acks':
        stream.write(framed(Buffer.from([0x0a, 200, 1, 1])));
        return;
      case 'refuses odd ones':
        ack(...found.map((position) => [position, Number(position.slice(2)) % 2 === 1 ? 'odd' : ''] as const));
        return;
      case 'refuses the rest': {
        // As the official SDK does: what stands behind a bad record in a message is not tried.
        const bad = found.findIndex((position) => Number(position.slice(2)) % 3 === 0);
        ack(...found.map((position, i) => [position, bad >= 0 && i >= bad ? 'it is bad' : ''] as const));
        return;
      }
      case 'collects':
        // Acks of several messages in one, and of one message in several.
        if (positions.length < 10) return;
        ack(...positions.slice(0, 3).map((position) => [position, ''] as const));
        ack();
        ack(...positions.slice(3).map((position) => [position, ''] as const));
        return;
      case 'exits':
        process.stderr.write('the disk is full\n');
        process.exit(8);
        return;
      default:
        if (version === 1) for (const position of found) ack([position, '']);
        else ack(...found.map((position) => [position, ''] as const));
    }
  };
}

function record(position: string, operation: number, raw: Uint8Array = Buffer.from('x')): Uint8Array {
  const writer = new ByteWriter(raw.length + 64);
  if (position !== '') {
    writer.tag(0x0a);
    writer.text(position);
  }
  writer.tag(0x10);
  writer.varint(operation);
  writer.tag(0x2a);
  writer.nested((change) => {
    change.tag(0x12);
    change.nested((data) => {
      data.tag(0x0a);
      data.view(raw);
    });
  });
  return writer.finish();
}

function message(...records: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const bytes of records) {
    writer.tag(recordTag);
    writer.view(bytes);
  }
  return framed(writer.finish());
}

function positionsOf(request: Uint8Array): string[] {
  const reader = new ByteReader(request);
  const found: string[] = [];
  while (!reader.isDone) {
    if (reader.tag() !== recordTag) {
      reader.skipLast();
      continue;
    }
    const inner = reader.nested();
    while (!inner.isDone) {
      if (inner.tag() === 0x0a) found.push(inner.text());
      else inner.skipLast();
    }
  }
  return found;
}

function positionAnswer(position: string): Uint8Array {
  const writer = new ByteWriter();
  writer.tag(0x0a);
  writer.text(position);
  return writer.finish();
}

function specification(): Uint8Array {
  const write = (writer: ByteWriter): void => {
    for (const [i, text] of ['hostile', 'summary', 'description', 'v1.2.3', 'nobody'].entries()) {
      writer.tag(((i + 1) << 3) | 2);
      writer.text(text);
    }
    writer.tag((7 << 3) | 2);
    writer.nested((entry) => {
      entry.tag(0x0a);
      entry.text('path');
      entry.tag(0x12);
      entry.nested((parameter) => {
        // Version 1: required 2, type 4. Version 2: type 3, validations 4.
        parameter.tag(version === 1 ? 0x10 : 0x18);
        parameter.varint(1);
        if (version === 1) {
          parameter.tag(0x20);
          parameter.varint(1);
        } else {
          parameter.tag(0x22);
          parameter.nested((validation) => {
            validation.tag(0x08);
            validation.varint(1);
          });
        }
      });
    });
  };
  const writer = new ByteWriter();
  if (version === 1) write(writer);
  else {
    writer.tag(0x0a);
    writer.nested(write);
  }
  return writer.finish();
}

function framed(body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

function reply(stream: ServerHttp2Stream, body: Uint8Array): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framed(body));
}

function refuse(stream: ServerHttp2Stream, status: number, text: string): void {
  stream.respond({ ':status': 200, 'grpc-status': String(status), 'grpc-message': text }, { endStream: true });
}
