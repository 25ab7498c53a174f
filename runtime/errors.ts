// Coded errors: the one way in which Millrace says that something is wrong.
//
// A code is written once, where its class is made with `defineError`; it is `noun.condition`, stable for ever and
// unique (checked at load). docs/errors.md is printed from the definitions. An error names the place, says what to do
// (`help`) and suggests the nearest valid name. Errors cross threads as data (`errorToData`, `errorFromData`):
// code, message, fields, place, causes; stacks stay where they were thrown.
// Not here: bad rows. They are counted and listed by the actor that met them, never thrown.

/** What a caller may do about an error: nothing, try again later, or open the connection anew. */
export type Retry = 'never' | 'later' | 'reconnect';

/** Where an error was caused. Lines and columns count from 1, records from 1, offsets (bytes) from 0. */
export interface Place {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The last character of what is wrong, where it is known. */
  readonly endLine?: number | undefined;
  readonly endColumn?: number | undefined;
  /** Path inside a configuration, such as `inputs.users.transport.name`. */
  readonly path?: string | undefined;
  readonly record?: number | undefined;
  readonly offset?: number | undefined;
}

/** Typed fields of an error. Values must survive a structured clone and must never hold a secret. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/** What belongs to every error besides its own fields. */
export interface ErrorContext {
  readonly cause?: unknown;
  readonly place?: Place | undefined;
  /** The nearest valid name, without punctuation; printed as `did you mean "…"?`. */
  readonly suggestion?: string | undefined;
}

/** One row of docs/errors.md. */
export interface ErrorDefinition {
  readonly code: string;
  readonly help: string;
  readonly retry: Retry;
}

/** Base of every error that Millrace throws or reports. */
export class MillraceError extends Error {
  readonly code: string;
  readonly fields: ErrorFields;
  readonly help: string;
  readonly retry: Retry;
  readonly place: Place | undefined;
  readonly suggestion: string | undefined;

  constructor(definition: ErrorDefinition, detail: string, fields: ErrorFields, context: ErrorContext = {}) {
    super(composeMessage(detail, context), context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'MillraceError';
    this.code = definition.code;
    this.help = definition.help;
    this.retry = definition.retry;
    this.fields = fields;
    this.place = context.place;
    this.suggestion = context.suggestion;
  }
}

/** A class made by `defineError`: `new ConfigUnknownKey({ key }, { place, suggestion })`. */
export interface CodedErrorClass<F extends ErrorFields> {
  new (fields: F, context?: ErrorContext): MillraceError & { readonly fields: F };
  readonly definition: ErrorDefinition;
}

const definitions = new Map<string, ErrorDefinition>();

/**
 * Makes an error class. `code` is `noun.condition`; `help` is one sentence that says what the user can do.
 * @throws Error at load when the code is malformed or already taken.
 */
export function defineError<F extends ErrorFields>(
  code: string,
  options: { readonly help: string; readonly retry?: Retry },
  message: (fields: F) => string,
): CodedErrorClass<F> {
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(code)) throw new Error(`malformed error code ${code}`);
  if (definitions.has(code)) throw new Error(`error code ${code} is defined twice`);
  const definition: ErrorDefinition = { code, help: options.help, retry: options.retry ?? 'never' };
  definitions.set(code, definition);
  return class extends MillraceError {
    static readonly definition = definition;
    declare readonly fields: F;
    /** By code: an error that has crossed a thread is still an instance of the class that it was made with. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      return isCoded(value) && value.code === code;
    }
    constructor(fields: F, context: ErrorContext = {}) {
      super(definition, message(fields), fields, context);
    }
  };
}

function isCoded(value: unknown): value is MillraceError {
  return value instanceof MillraceError;
}

/** Every definition that has been loaded, by code. */
export function errorDefinitions(): readonly ErrorDefinition[] {
  return [...definitions.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** `file:line:column`, a configuration path or a record number, or '' when nothing is known. */
export function formatPlace(place: Place | undefined): string {
  if (place === undefined) return '';
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  const record = place.record === undefined ? '' : `record ${place.record}`;
  return [position, place.path, record].filter((part) => part !== undefined && part !== '').join(' ');
}

function composeMessage(detail: string, context: ErrorContext): string {
  const place = formatPlace(context.place);
  const suggestion = context.suggestion === undefined ? '' : ` (did you mean "${context.suggestion}"?)`;
  return `${place === '' ? '' : `${place}: `}${detail}${suggestion}`;
}

/** An error as plain data, for ports, JSON and logs. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly fields: ErrorFields;
  readonly place?: Place;
  readonly suggestion?: string;
  readonly help: string;
  readonly retry: Retry;
  readonly causes: readonly ErrorData[];
}

/** Turns anything that was thrown into data. What has no code gets `runtime.unexpected`. */
export function errorToData(thrown: unknown): ErrorData {
  const causes: ErrorData[] = [];
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (cause !== undefined) causes.push(errorToData(cause));
  if (thrown instanceof MillraceError) {
    const data = {
      code: thrown.code,
      message: thrown.message,
      fields: thrown.fields,
      help: thrown.help,
      retry: thrown.retry,
      causes,
    };
    const place = thrown.place === undefined ? {} : { place: thrown.place };
    const suggestion = thrown.suggestion === undefined ? {} : { suggestion: thrown.suggestion };
    return { ...data, ...place, ...suggestion };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const { definition } = isOutOfFiles(thrown) ? TooManyFiles : Unexpected;
  return { ...definition, message, fields: {}, causes };
}

/** The inverse of `errorToData`: an error with the same code, message, fields, place and causes. */
export function errorFromData(data: ErrorData): MillraceError {
  const cause = data.causes[0];
  const context: ErrorContext = {
    place: data.place,
    suggestion: data.suggestion,
    ...(cause === undefined ? {} : { cause: errorFromData(cause) }),
  };
  const error = new MillraceError({ code: data.code, help: data.help, retry: data.retry }, '', data.fields, context);
  // The sender has already composed the message with its place and suggestion.
  Object.defineProperty(error, 'message', { value: data.message, configurable: true, writable: true });
  return error;
}

/** Anything thrown that is not one of ours: a defect, here or in a connector. */
export const Unexpected: CodedErrorClass<{ readonly detail: string }> = defineError(
  'runtime.unexpected',
  { help: 'This is a defect. Report it with the message and, if it can be had, the stack in the log.' },
  (f) => f.detail,
);

/** The system's word for it comes from whatever is opened next, a module of ours among them. */
function isOutOfFiles(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'EMFILE' || thrown.code === 'ENFILE');
}

export const TooManyFiles: CodedErrorClass<{ readonly detail: string }> = defineError(
  'runtime.too_many_files',
  {
    help: 'Let the process open more files and connections: `ulimit -n 4096` in its shell, LimitNOFILE in its service.',
    retry: 'later',
  },
  (f) => f.detail,
);

/** An invariant that does not hold. The actor that throws it dies; its supervisor decides. */
export const AssertionFailed: CodedErrorClass<{ readonly invariant: string }> = defineError(
  'runtime.assertion_failed',
  { help: 'This is a defect in Millrace. Report it with the program and the input that led to it.' },
  (f) => `invariant does not hold: ${f.invariant}`,
);
