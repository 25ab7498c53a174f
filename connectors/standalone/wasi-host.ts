// What a WebAssembly processor may ask of the system (WASI preview 1): the time, chance, its environment, and to print. There are no
// files, no sockets, no arguments; every other function of the interface answers that it is not there, which runtimes of languages
// take as a system without it. Runs in the thread of the module and may block it.
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
import { randomFillSync } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';

export interface WasiSurroundings {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the instance, which is made after its imports. */
  readonly memory: () => ArrayBuffer;
  readonly print: (channel: 'stderr' | 'stdout', bytes: Uint8Array<ArrayBuffer>) => void;
}

/** Thrown through the module, when it exits. */
export class WasiExit {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

const errno = { success: 0, badDescriptor: 8, invalid: 28, notImplemented: 52 } as const;
const clocks = { realtime: 0 } as const;
const subscriptionBytes = 48;
const eventBytes = 32;
const characterDevice = 2;
const absolute = 1;

type WasiFunction = (...values: never[]) => number;

/** By name; a function of the interface that is not here is `notImplemented`. */
export function wasiFunctions(surroundings: WasiSurroundings): Readonly<Record<string, WasiFunction>> {
  const { clock, environment, memory, print } = surroundings;
  const view = (): DataView => new DataView(memory());
  const entries = Object.entries(environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const timeOf = (id: number): bigint => {
    const millis = id === clocks.realtime ? clock.now() : clock.monotonic();
    return BigInt(Math.round(millis * 1000)) * 1000n;
  };
  const isStream = (descriptor: number): boolean => descriptor >= 0 && descriptor <= 2;
  return {
    args_sizes_get: (count: number, size: number): number => {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return errno.success;
    },
    args_get: (): number => errno.success,
    environ_sizes_get: (count: number, size: number): number => {
      view().setUint32(count, entries.length, true);
      view().setUint32(
        size,
        entries.reduce((sum, { length }) => sum + length, 0),
        true,
      );
      return errno.success;
    },
    environ_get: (pointers: number, texts: number): number => {
      let at = texts;
      for (const [i, entry] of entries.entries()) {
        view().setUint32(pointers + i * 4, at, true);
        new Uint8Array(memory()).set(entry, at);
        at += entry.length;
      }
      return errno.success;
    },
    clock_res_get: (_id: number, result: number): number => {
      view().setBigUint64(result, 1000n, true);
      return errno.success;
    },
    clock_time_get: (id: number, _precision: bigint, result: number): number => {
      view().setBigUint64(result, timeOf(id), true);
      return errno.success;
    },
    random_get: (at: number, length: number): number => {
      randomFillSync(new Uint8Array(memory(), at, length));
      return errno.success;
    },
    sched_yield: (): number => errno.success,
    proc_exit: (code: number): number => {
      throw new WasiExit(code);
    },
    fd_write: (descriptor: number, vectors: number, count: number, result: number): number => {
      if (descriptor !== 1 && descriptor !== 2) return errno.badDescriptor;
      const parts: Uint8Array[] = [];
      for (let i = 0; i < count; i++) {
        const at = view().getUint32(vectors + i * 8, true);
        parts.push(new Uint8Array(memory(), at, view().getUint32(vectors + i * 8 + 4, true)));
      }
      const bytes = new Uint8Array(Buffer.concat(parts));
      // First: who prints may give the bytes away.
      view().setUint32(result, bytes.length, true);
      print(descriptor === 1 ? 'stdout' : 'stderr', bytes);
      return errno.success;
    },
    /** Standard input is at its end. */
    fd_read: (descriptor: number, _vectors: number, _count: number, result: number): number => {
      if (descriptor !== 0) return errno.badDescriptor;
      view().setUint32(result, 0, true);
      return errno.success;
    },
    fd_close: (descriptor: number): number => (isStream(descriptor) ? errno.success : errno.badDescriptor),
    fd_fdstat_get: (descriptor: number, result: number): number => {
      if (!isStream(descriptor)) return errno.badDescriptor;
      new Uint8Array(memory(), result, 24).fill(0);
      view().setUint8(result, characterDevice);
      view().setBigUint64(result + 8, 0x1fff_ffffn, true);
      return errno.success;
    },
    fd_fdstat_set_flags: (descriptor: number): number => (isStream(descriptor) ? errno.success : errno.badDescriptor),
    /** No folder is open. */
    fd_prestat_get: (): number => errno.badDescriptor,
    fd_prestat_dir_name: (): number => errno.badDescriptor,
    poll_oneoff: (subscriptions: number, events: number, count: number, result: number): number => {
      if (count === 0) return errno.invalid;
      const due: { readonly at: number; readonly waitMs: number }[] = [];
      for (let i = 0; i < count; i++) {
        const at = subscriptions + i * subscriptionBytes;
        due.push({ at, waitMs: view().getUint8(at + 8) === 0 ? waitOf(view(), at, timeOf) : 0 });
      }
      const waitMs = Math.min(...due.map((one) => one.waitMs));
      if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
      const ready = due.filter((one) => one.waitMs <= waitMs);
      for (const [i, { at }] of ready.entries()) writeEvent(view(), at, events + i * eventBytes);
      view().setUint32(result, ready.length, true);
      return errno.success;
    },
  };
}

export const notImplemented = (): number => errno.notImplemented;

/** Of a subscription to a clock: id at 16, time at 24, flags at 40. */
function waitOf(view: DataView, at: number, timeOf: (id: number) => bigint): number {
  const time = view.getBigUint64(at + 24, true);
  const isAbsolute = (view.getUint16(at + 40, true) & absolute) !== 0;
  const nanoseconds = isAbsolute ? time - timeOf(view.getUint32(at + 16, true)) : time;
  return Math.max(0, Number(nanoseconds) / 1e6);
}

/** What the subscriber called it, no error, and its kind. */
function writeEvent(view: DataView, subscription: number, event: number): void {
  view.setBigUint64(event, view.getBigUint64(subscription, true), true);
  view.setUint16(event + 8, 0, true);
  view.setUint8(event + 10, view.getUint8(subscription + 8));
  view.setBigUint64(event + 16, 0n, true);
  view.setUint16(event + 24, 0, true);
}
