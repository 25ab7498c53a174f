// What can go wrong with a processor that is a WebAssembly module. Every error names the processor, and says what the module printed
// last where it has ended.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

interface ModuleFields {
  readonly [name: string]: unknown;
  readonly processor: string;
}

export const WasmUnusable: CodedErrorClass<{ readonly path: string; readonly detail: string }> = defineError(
  'processor.module_unusable',
  { help: 'Build the processor for WASI preview 1 with the processor SDK: GOOS=wasip1 GOARCH=wasm go build.' },
  (f) => `${f.path} cannot be used as a processor: ${f.detail}`,
);

export const WasmEnded: CodedErrorClass<
  ModuleFields & { readonly call: string; readonly detail: string; readonly printed: readonly string[] }
> = defineError(
  'processor.module_ended',
  { help: 'The module ended by itself; what it printed last says why. It is started anew for the next records.' },
  (f) =>
    `${f.processor} ended during ${f.call}: ${f.detail}${f.printed.length === 0 ? '' : `; it printed: ${f.printed.join(' | ')}`}`,
);

export const WasmTimedOut: CodedErrorClass<ModuleFields & { readonly call: string; readonly deadlineMs: number }> =
  defineError(
    'processor.module_timed_out',
    {
      help: 'The module hangs or is too slow for this record. Its thread was ended; a new one takes the next records.',
    },
    (f) => `${f.processor} did not answer to ${f.call} within ${f.deadlineMs / 1000} s`,
  );

export const WasmRefused: CodedErrorClass<ModuleFields & { readonly call: string; readonly detail: string }> =
  defineError(
    'processor.module_refused',
    { help: 'The processor itself answered with this error.' },
    (f) => `${f.processor}: ${f.call} failed: ${f.detail}`,
  );

export const WasmAnswerMalformed: CodedErrorClass<ModuleFields & { readonly detail: string }> = defineError(
  'processor.module_answer_malformed',
  { help: 'The module does not keep to the protocol of processors; a newer version of it may.' },
  (f) => `${f.processor} answered something else than was asked for: ${f.detail}`,
);

/** What the module says of one record. */
export const WasmRecordRefused: CodedErrorClass<{ readonly detail: string }> = defineError(
  'processor.module_refused_record',
  { help: 'The processor answered with this error to the record.' },
  (f) => f.detail,
);

export const WasmEgressRefused: CodedErrorClass<{ readonly setting: string }> = defineError(
  'processor.egress_unsupported',
  { help: 'Remove the setting. Requests over the network are made by webhook.http, or by a connector.' },
  (f) => `"${f.setting}": processors that are WebAssembly modules have no access to the network`,
);
