// A worker thread that exposes an object, for tests of remote calls.
import { type MessagePort, parentPort } from 'node:worker_threads';
import { expose, transfer } from '../../../runtime/thread/remote.ts';
import { TrialFailure } from '../actor/trial-behaviours.ts';

export interface TrialApi {
  add(a: number, b: number): number;
  fill(bytes: number): Uint8Array;
  answerOn(port: { readonly port: MessagePort }): void;
  report(value: unknown): void;
  never(): Promise<void>;
  exit(code: number): void;
  refuse(): void;
  refuseText(): void;
}

if (parentPort !== null) {
  const api: TrialApi = {
    add: (a, b) => a + b,
    fill: (bytes) => {
      const filled = new Uint8Array(bytes).fill(7);
      return transfer(filled, [filled.buffer]);
    },
    answerOn: ({ port }) => {
      port.postMessage('hello');
      port.close();
    },
    report: (value) => exposed.report(value),
    never: () => new Promise(() => {}),
    exit: (code) => process.exit(code),
    refuse: () => {
      throw new TrialFailure({ depth: 0, big: -1n }, { cause: new Error('plain') });
    },
    refuseText: () => {
      throw new TypeError('not coded');
    },
  };
  const exposed = expose(api, parentPort);
}
