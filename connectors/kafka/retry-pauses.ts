// How long connectors to Kafka wait after a failure that may pass: twice as long after each one in a row, up to a bound.
import type { ParameterValues } from '../sdk/parameters.ts';

export class RetryPauses {
  readonly #firstMs: number;
  readonly #msMax: number;

  constructor({ 'reconnect.backoff.ms': firstMs, 'reconnect.backoff.max.ms': msMax }: ParameterValues) {
    this.#firstMs = Number(firstMs ?? 100);
    this.#msMax = Number(msMax ?? 10_000);
  }

  /** `failures` in a row, the present one among them. */
  after(failures: number): number {
    return Math.min(this.#msMax, this.#firstMs * 2 ** (failures - 1));
  }
}
