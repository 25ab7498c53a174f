// What NOW() is in a hosted pipeline: the time of the machine, moved by what the runtime configuration says, or a time that only requests
// move.
//
// `dev_tweaks.now_offset` is what NOW() is at the first start; with `dev_tweaks.now_http_driven` it stays there until it is advanced.
// `clock_timezone_offset` is added to every NOW(). A pipeline that goes on from a checkpoint goes on with its clock.
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { PipelineRecord } from './pipeline-record.ts';
import { zoneOffsetMs } from './zone-offset.ts';

/** For the transport that ticks. */
export function clockSettings(record: PipelineRecord): Readonly<Record<string, number>> {
  const resolution = record.source.runtimeConfig['clock_resolution_usecs'];
  const every = typeof resolution === 'number' && resolution > 0 ? { clock_resolution_usecs: resolution } : {};
  const { drivenClockMs, firstStartedAt } = record;
  const zoneMs = zoneOffsetOf(record);
  if (drivenClockMs !== undefined) return { ...every, fixed_millis: drivenClockMs + zoneMs };
  const begin = beginMs(record);
  const aheadMs = begin === null || firstStartedAt === undefined ? 0 : begin - firstStartedAt;
  return aheadMs + zoneMs === 0 ? every : { ...every, offset_millis: aheadMs + zoneMs };
}

/** At the first start of a pipeline: a clock that requests drive stands where it begins. */
export function setClock(pipeline: HostedPipeline): void {
  const { record } = pipeline;
  const isDriven = tweaks(record)['now_http_driven'] === true;
  pipeline.change({ drivenClockMs: isDriven ? (beginMs(record) ?? record.firstStartedAt) : undefined });
}

/** Moves a clock that requests drive; null: by one tick. What NOW() is then, or null where requests do not drive it. */
export function advanceClock(pipeline: HostedPipeline, deltaMs: number | null): number | null {
  const { drivenClockMs } = pipeline.record;
  if (drivenClockMs === undefined) return null;
  const every = resolutionMs(pipeline.record);
  const advanced = drivenClockMs + (deltaMs ?? every);
  if (advanced !== drivenClockMs) pipeline.change({ drivenClockMs: advanced });
  return Math.floor((advanced + zoneOffsetOf(pipeline.record)) / every) * every;
}

function zoneOffsetOf({ source }: PipelineRecord): number {
  return zoneOffsetMs(String(source.runtimeConfig['clock_timezone_offset']));
}

function resolutionMs({ source }: PipelineRecord): number {
  const micros = source.runtimeConfig['clock_resolution_usecs'];
  return typeof micros === 'number' ? Math.max(1, Math.round(micros / 1000)) : 1_000;
}

function beginMs(record: PipelineRecord): number | null {
  const text = tweaks(record)['now_offset'];
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

function tweaks({ source }: PipelineRecord): Readonly<Record<string, unknown>> {
  // SAFETY: the configuration has been read, with this as an object.
  return (source.runtimeConfig['dev_tweaks'] ?? {}) as Readonly<Record<string, unknown>>;
}
