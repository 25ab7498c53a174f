// One HTTP input: all requests into one table with one format share its decoder, its builder and its port.
//
//   bodies ──decode──► builder ──flush, once an event-loop turn──► encoded batch, mark ──► engine
//                                                                                └──► every reply of that turn, one token
//
// A flush sends what all requests of the turn have decoded as one batch and one mark behind it, so that requests of one row
// cost a row each, not a message each. Rows are decoded only while there is credit (`isOpen`); whoever may not go on
// registers as waiting and is called when that may have changed. Pausing is looked at here too, because a wake-up may come
// from either. With a journal each flush is one entry of it: on disk before the engine and the replies hear of it.
// Lives until the deployment ends.
// Not here: bodies and replies (body-intake.ts), which endpoints there are (endpoint-roster.ts).
import type { DecodeReport, Decoder, DecoderContext, InputFormat, Splitter } from '../../../connectors/sdk/format.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { FrameSender, MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { encodeToken } from '../../completion-token.ts';
import type { TableDescription } from '../embedded/control-interface.ts';
import type { ApiInput, Deployment, InputJournal } from '../hosting/deployment.ts';
import { type IngressRequest, invalidFormat } from './ingress-request.ts';
import { listedErrorsMax } from './parse-errors.ts';

export const ingressLimits: MailboxLimits = { rowsMax: 100_000, bytesMax: 64 * 1024 * 1024 };

/** A builder this full is sent before the turn ends. */
const flushRows = 32_768;
const flushBytes = 4 * 1024 * 1024;
const latestErrorsMax = 100;

/** Somebody whose rows wait for a flush. */
export interface Flushed {
  /** Everything that was decoded for it is sent; `token` stands for it. */
  flushed(token: string): void;
  /** It will never be sent. */
  failed(error: unknown): void;
}

/** Somebody who may not go on. */
export interface Waiting {
  /** Called when that may have changed. */
  retry(): void;
  failed(error: unknown): void;
}

export class IngressEndpoint implements ApiInput {
  readonly endpoint: string;
  readonly relation: string;
  totalRecords = 0;
  totalBytes = 0;
  numParseErrors = 0;
  /** By the latest `decode`. */
  decodedRows = 0;
  readonly parseErrors: { readonly time: number; readonly index: number; readonly message: string }[] = [];
  readonly format: InputFormat;
  readonly context: DecoderContext;
  readonly #request: IngressRequest;
  readonly #clock: Clock;
  readonly #decoder: Decoder | null;
  readonly #builder: BatchBuilder;
  readonly #sender: FrameSender;
  readonly #incarnation: string;
  readonly #journal: InputJournal | null;
  /** With a journal: batches of the next flush, and rows and bytes that are on their way to the disk. */
  #frames: { readonly frame: ArrayBuffer; readonly rows: number }[] = [];
  #loggingRows = 0;
  #loggingBytes = 0;
  readonly #logging = new Set<Flushed>();
  readonly #waiting = new Set<Waiting>();
  readonly #flush = (): void => this.#flushNow();
  #finished: Flushed[] = [];
  #mark = 0;
  #isFlushSet = false;
  #closed: unknown = null;
  #report: DecodeReport = freshReport();

  /** @throws HttpProblem 400 when the format cannot read such a table. */
  private constructor(args: {
    readonly endpoint: string;
    readonly request: IngressRequest;
    readonly context: DecoderContext;
    readonly clock: Clock;
    readonly sender: FrameSender;
    readonly incarnation: string;
    readonly decoder: Decoder | null;
    readonly journal: InputJournal | null;
  }) {
    this.endpoint = args.endpoint;
    this.relation = args.context.relation.name;
    this.format = args.request.format;
    this.#request = args.request;
    this.context = args.context;
    this.#clock = args.clock;
    this.#sender = args.sender;
    this.#incarnation = args.incarnation;
    this.#decoder = args.decoder;
    this.#journal = args.journal;
    this.#builder = new BatchBuilder(args.context.relation.schema);
    this.#sender.onReady = () => this.wake();
    this.#sender.onClose = () => this.close(new Error('the pipeline has ended'));
  }

  static async open(
    deployment: Deployment,
    table: TableDescription,
    request: IngressRequest,
    name: string,
    clock: Clock,
  ): Promise<IngressEndpoint> {
    const relation = relationOf(table);
    // What the format refuses is said before anything is opened.
    makeDecoder(request, { relation, defaults: table.schema.fields.map(() => null), strict: false });
    const opened = await deployment.call('ingress', (control) =>
      control.openIngressPort(table.name, name, ingressLimits),
    );
    const context: DecoderContext = { relation, defaults: opened.defaults, strict: false };
    const sender = openFrameSender(opened.port, { schema: relation.schema, limits: ingressLimits });
    const { endpoint, incarnation } = opened;
    const decoder = makeDecoder(request, context);
    const journal = deployment.journal?.keeps === true ? deployment.journal : null;
    return new IngressEndpoint({ endpoint, request, context, clock, sender, incarnation, decoder, journal });
  }

  /** Of the same endpoint before the checkpoint that this deployment has gone on from. */
  goOnCounting(earlier: ApiInput): void {
    this.totalRecords += earlier.totalRecords;
    this.totalBytes += earlier.totalBytes;
    this.numParseErrors += earlier.numParseErrors;
    this.parseErrors.unshift(...earlier.parseErrors);
  }

  bufferedRecords(): number {
    return this.#builder.rows + this.#loggingRows + this.#sender.queuedRows;
  }

  bufferedBytes(): number {
    return this.#builder.bytesUsed + this.#loggingBytes + this.#sender.queuedBytes;
  }

  /** The table has room for more rows. */
  get hasCredit(): boolean {
    const { rowsMax, bytesMax } = ingressLimits;
    return this.#sender.hasCredit && this.#loggingRows < rowsMax && this.#loggingBytes < bytesMax;
  }

  splitter(): Splitter {
    const { format, configuration } = this.#request;
    if (format.kind !== 'stream') throw new Error('a block format has no splitter');
    return format.splitter(configuration);
  }

  /** For a request whose records have metadata of their own. */
  decodingWith(defaults: readonly (string | null)[]): Decoding {
    const context: DecoderContext = { ...this.context, defaults };
    return { context, decoder: makeDecoder(this.#request, context) };
  }

  newBuilder(): BatchBuilder {
    return new BatchBuilder(this.context.relation.schema, 1024);
  }

  /** Decodes whole records, into `own` or for the next flush. The report is valid until the next call. */
  decode(
    bytes: Uint8Array,
    first: boolean,
    prologue: Uint8Array,
    own: BatchBuilder | null,
    decoder: Decoder | null = this.#decoder,
  ): DecodeReport {
    const report = this.#freshReport();
    const builder = own ?? this.#builder;
    const rowsBefore = builder.rows;
    decoder?.decode(bytes, builder, report, first, prologue);
    this.decodedRows = builder.rows - rowsBefore;
    this.count(bytes.length, own === null ? this.decodedRows : 0, report);
    if (own === null) {
      if (builder.rows >= flushRows || builder.bytesUsed >= flushBytes) this.#send();
      this.#setFlush();
    }
    return report;
  }

  /** Counts what a request has brought. */
  count(bytes: number, rows: number, report: DecodeReport): void {
    this.totalBytes += bytes;
    this.totalRecords += rows;
    if (report.numParseErrors === 0) return;
    this.numParseErrors += report.numParseErrors;
    const time = this.#clock.now();
    for (const error of report.errors.slice(-latestErrorsMax)) {
      this.parseErrors.push({ time, index: error.record, message: error.message });
    }
    if (this.parseErrors.length > latestErrorsMax)
      this.parseErrors.splice(0, this.parseErrors.length - latestErrorsMax);
  }

  /** Sends rows that were decoded on their own, behind what the others have decoded. Ask `hasCredit` first. */
  sendBatch(batch: ChangeBatch): void {
    this.#send();
    if (this.#closed !== null || batch.rows === 0) return;
    this.totalRecords += batch.rows;
    this.#sendFrame(this.#encode(batch), batch.rows);
    if (this.#journal !== null) this.#setFlush();
  }

  /** `flushed` is called with the token at the end of this turn. */
  finish(flushed: Flushed): void {
    if (this.#closed !== null) {
      flushed.failed(this.#closed);
      return;
    }
    this.#finished.push(flushed);
    this.#setFlush();
  }

  #flushNow(): void {
    this.#isFlushSet = false;
    if (this.#closed !== null) return;
    this.#send();
    const finished = this.#finished;
    this.#finished = [];
    if (this.#journal !== null) this.#flushInto(this.#journal, finished);
    else if (finished.length > 0) {
      const token = this.#sendMark();
      for (const each of finished) each.flushed(token);
    }
  }

  /** What goes to the disk as well has a checksum. */
  #encode(batch: ChangeBatch): ArrayBuffer {
    return encodeBatch(batch, 0, this.#journal === null ? 'in memory' : 'checked');
  }

  #sendFrame(frame: ArrayBuffer, rows: number): void {
    if (this.#journal === null) this.#sender.sendEncoded(frame, rows);
    else this.#frames.push({ frame, rows });
  }

  #sendMark(): string {
    const mark = ++this.#mark;
    this.#sender.send({ kind: 'mark', mark });
    return encodeToken({ incarnation: this.#incarnation, endpoint: this.endpoint, mark });
  }

  /** One entry for all of this turn: whoever is answered is on disk, and what is all or nothing is one entry. */
  #flushInto(journal: InputJournal, finished: readonly Flushed[]): void {
    const frames = this.#frames;
    if (frames.length === 0 && finished.length === 0) return;
    this.#frames = [];
    const rows = frames.reduce((sum, each) => sum + each.rows, 0);
    const bytes = frames.reduce((sum, each) => sum + each.frame.byteLength, 0);
    this.#loggingRows += rows;
    this.#loggingBytes += bytes;
    for (const each of finished) this.#logging.add(each);
    let token = '';
    const send = (): string => {
      if (this.#closed !== null) throw this.#closed;
      for (const each of frames) this.#sender.sendEncoded(each.frame, each.rows);
      token = this.#sendMark();
      return token;
    };
    const settle = (tell: (each: Flushed) => void): void => {
      this.#loggingRows -= rows;
      this.#loggingBytes -= bytes;
      for (const each of finished) {
        this.#logging.delete(each);
        tell(each);
      }
      this.wake();
    };
    // The copy goes to the disk, the frame to the engine.
    const chunks = frames.map((each) => each.frame.slice(0));
    const format = { rows: frames.map((each) => each.rows), fingerprint: this.context.relation.schema.fingerprint };
    journal.write({ endpoint: this.endpoint, table: this.relation, kind: 'batches', format, chunks }, send).then(
      () => settle((each) => each.flushed(token)),
      (error: unknown) => settle((each) => each.failed(error)),
    );
  }

  wait(waiting: Waiting): void {
    if (this.#closed !== null) waiting.failed(this.#closed);
    else this.#waiting.add(waiting);
  }

  stopWaiting(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  close(reason: unknown): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    this.#sender.close();
    const abandoned = [...this.#finished, ...this.#logging, ...this.#waiting];
    this.#logging.clear();
    this.#finished = [];
    this.#waiting.clear();
    for (const each of abandoned) each.failed(reason);
  }

  #send(): void {
    const { rows } = this.#builder;
    if (rows === 0 || this.#closed !== null) return;
    this.#sendFrame(this.#encode(this.#builder.peek()), rows);
    this.#builder.clear();
  }

  #setFlush(): void {
    if (this.#isFlushSet) return;
    this.#isFlushSet = true;
    setImmediate(this.#flush);
  }

  /** Credit came back, or the pipeline's status has changed. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) each.retry();
  }

  #freshReport(): DecodeReport {
    const report = this.#report;
    // A report that names errors or a fatal one is looked at by others: they keep it.
    if (report.numParseErrors > 0 || report.fatal !== null) this.#report = freshReport();
    else report.records = report.numUnknownFields = 0;
    return this.#report;
  }
}

export function freshReport(): DecodeReport {
  return { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null, errorsMax: listedErrorsMax };
}

/** What decodes a request instead of what its endpoint has. */
export interface Decoding {
  readonly context: DecoderContext;
  readonly decoder: Decoder | null;
}

function makeDecoder(request: IngressRequest, context: DecoderContext): Decoder | null {
  if (request.format.kind !== 'stream') return null;
  try {
    // Some options are looked at by the splitter only.
    request.format.splitter(request.configuration);
    return request.format.decoder(request.configuration, context);
  } catch (thrown) {
    throw invalidFormat(thrown);
  }
}

function relationOf(table: TableDescription): Relation {
  const { fields } = table.schema;
  const primaryKey = table.primaryKey.map((name) => fields.findIndex((field) => field.name === name));
  return { name: table.name, schema: table.schema, primaryKey };
}
