// What a source and a destination of a plugin have in common: one process for one instance of a connector, started by the first
// call that needs it, configured once, told of its life, torn down and ended.
import type { Clock } from '../../runtime/clock.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { SchemaRegistry } from '../sdk/schema-registry.ts';
import { secretValues } from '../sdk/secret-settings.ts';
import type { GrpcStream } from './grpc-connection.ts';
import { CallUnimplemented, PluginHasNoEvents, PluginSilent } from './plugin-errors.ts';
import { type PluginConfiguration, settingsOf } from './plugin-parameters.ts';
import { type PluginCall, type PluginRole, settingsRequest, updateRequest } from './plugin-protocol.ts';
import type { PluginSession } from './plugin-session.ts';
import { PluginWatch } from './plugin-watch.ts';
import type { SchemaClient } from './schema-client.ts';
import type { SchemaService } from './schema-service.ts';

export interface PluginContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  reportError(error: unknown): void;
  log?(message: string, fields?: Readonly<Record<string, unknown>>): void;
  stalled?(reason: string | null, forMs: number): void;
  readonly stallMs?: number;
}

/** What a process that does not answer gets before it is asked to stop. */
const pingMs = 10_000;

/** A stop at once does not wait as long as one in order. */
const hastyTeardownMs = 1_500;

export class PluginInstance {
  readonly configuration: PluginConfiguration;
  readonly #role: PluginRole;
  readonly #context: PluginContext;
  #starting: Promise<PluginSession> | null = null;
  /** Where nobody has one for all. */
  #schemas: SchemaService | null = null;
  #schemaStore: SchemaRegistry | null = null;
  #schemaClient: SchemaClient | null = null;
  readonly watch: PluginWatch;
  #isConfigured = false;
  /** A call was given up: the plugin may be stuck in it, and a teardown behind it as well. */
  #isStuck = false;
  /** It does not answer anything: it is not even asked any more. */
  #isSilent = false;

  constructor(role: PluginRole, configuration: PluginConfiguration, context: PluginContext) {
    this.#role = role;
    this.configuration = configuration;
    this.#context = context;
    this.watch = new PluginWatch({
      clock: context.clock,
      ...(context.stallMs === undefined ? {} : { stallMs: context.stallMs }),
      ping: async (deadlineMs) => (await this.#starting?.catch(() => null))?.answers(deadlineMs) ?? true,
      tell: (reason, forMs) => context.stalled?.(reason, forMs),
    });
  }

  session(): Promise<PluginSession> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async configure(): Promise<void> {
    await this.call('Configure', settingsRequest(this.configuration.settings));
    this.#isConfigured = true;
  }

  async open(position: Uint8Array): Promise<void> {
    if (!this.#isConfigured) await this.configure();
    await this.call('Open', position);
    this.watch.begin();
  }

  /** @throws PluginHasNoEvents when the plugin does not implement them. */
  async onCreated(configuration: ParameterValues): Promise<void> {
    await this.#event('LifecycleOnCreated', settingsRequest(settingsOf(configuration)));
  }

  async onUpdated(before: ParameterValues, after: ParameterValues): Promise<void> {
    await this.#event('LifecycleOnUpdated', updateRequest(settingsOf(before), settingsOf(after)));
  }

  async onDeleted(configuration: ParameterValues): Promise<void> {
    await this.#event('LifecycleOnDeleted', settingsRequest(settingsOf(configuration)));
  }

  /** A call that a stop of the connector ends. */
  async call(call: PluginCall, body: Uint8Array): Promise<Uint8Array> {
    const session = await this.session();
    try {
      const { signal } = this.#context;
      return await session.call(this.#role, call, { body, deadlineMs: this.configuration.callTimeoutMs, signal });
    } catch (error) {
      this.#isStuck = isGivenUp(error);
      throw error;
    }
  }

  /** A call that comes although the connector is being stopped. A process that does not answer at all is not waited for. */
  async lastCall(call: PluginCall, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    await this.ping(call, deadlineMs);
    const session = await this.session();
    try {
      return await session.call(this.#role, call, { body, deadlineMs });
    } catch (error) {
      this.#isStuck = isGivenUp(error);
      throw error;
    }
  }

  /** Before this call. @throws PluginSilent when its process does not answer at all: its teardown ends it then, and asks it nothing more. */
  async ping(call: PluginCall, withinMs: number = this.configuration.stopTimeoutMs): Promise<void> {
    const session = await this.session();
    const deadlineMs = Math.min(this.#context.signal.aborted ? hastyTeardownMs : pingMs, withinMs);
    if (!this.#isSilent && !this.watch.isSilent && (await session.answers(deadlineMs))) return;
    this.#isStuck = true;
    this.#isSilent = true;
    throw new PluginSilent({ plugin: this.configuration.plugin, call, ...session.evidence });
  }

  async run(): Promise<GrpcStream> {
    return (await this.session()).run(this.#role);
  }

  /**
   * Teardown and the end of the process. Nothing is started for it. @throws what Teardown has answered; the process is gone then, too.
   */
  async teardown(): Promise<void> {
    const session = (await this.#starting?.catch(() => null)) ?? null;
    this.#starting = null;
    this.watch.end();
    try {
      if (session !== null) await this.#tearDown(session);
    } finally {
      await this.#schemaClient?.close();
      await this.#schemas?.close();
    }
  }

  async #tearDown(session: PluginSession): Promise<void> {
    const { teardownTimeoutMs } = this.configuration;
    const isHasty = this.#context.signal.aborted || this.#isStuck;
    const deadlineMs = isHasty ? Math.min(hastyTeardownMs, teardownTimeoutMs) : teardownTimeoutMs;
    try {
      if (!session.hasEnded && !this.#isSilent) await session.call(this.#role, 'Teardown', { deadlineMs });
    } catch (error) {
      if (!(error instanceof CallUnimplemented)) throw error;
    } finally {
      // One that is stuck would not answer to a shutdown either, and must be gone before its actor is.
      if (this.#isStuck) await session.kill();
      else await session.close();
    }
  }

  /** What talks to processes is loaded by the first plugin: most threads never see one. */
  async #start(): Promise<PluginSession> {
    const { PluginSession } = await import('./plugin-session.ts');
    const schemas = this.configuration.schemaTarget === '' ? await this.#startSchemas() : {};
    return await PluginSession.start({
      ...this.configuration,
      ...schemas,
      secrets: secretValues(this.configuration.settings),
      clock: this.#context.clock,
      print: ({ level, message, fields }) => this.#context.log?.(message, { ...fields, level }),
    });
  }

  /** Of the service that the plugin was given; made once, ended by the teardown. */
  async schemas(): Promise<SchemaRegistry> {
    await this.session();
    if (this.#schemaStore !== null) return this.#schemaStore;
    const { SchemaClient } = await import('./schema-client.ts');
    const { schemaTarget, token } = this.configuration;
    this.#schemaClient ??= new SchemaClient(schemaTarget, token, this.#context.clock);
    return this.#schemaClient;
  }

  async #startSchemas(): Promise<{ readonly schemaTarget: string; readonly token: string }> {
    const { SchemaStore } = await import('./schema-store.ts');
    const { SchemaService } = await import('./schema-service.ts');
    const store = new SchemaStore(null);
    this.#schemaStore = store;
    this.#schemas = await SchemaService.start(store);
    return { schemaTarget: this.#schemas.target, token: this.#schemas.issueToken() };
  }

  async #event(call: PluginCall, body: Uint8Array): Promise<void> {
    try {
      await this.call(call, body);
    } catch (error) {
      if (!(error instanceof CallUnimplemented)) throw error;
      throw new PluginHasNoEvents({ plugin: this.configuration.plugin, event: call });
    }
  }
}

function isGivenUp(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'plugin.call_timed_out' || code === 'plugin.call_cancelled';
}
