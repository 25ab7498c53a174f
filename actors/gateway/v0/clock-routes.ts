// The clock of a pipeline that requests drive, for tests of views with NOW(): `POST …/clock/advance`.

import type { Hosting } from '../hosting/hosting.ts';
import { advanceClock } from '../hosting/pipeline-clock.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { moment, object, type Shaped, whole } from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';

const clockShape = object({ now_ms: whole, now: moment });

export function clockRoutes(hosting: Hosting): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v0/pipelines/{pipeline_name}/clock/advance',
      summary: 'Moves NOW() of a pipeline whose clock stands still, by so many milliseconds or by one tick',
      access: 'write',
      hasBody: true,
      ok: { 200: clockShape },
      problems: [400, 404, 503],
      handle: async ({ params, body }) => {
        const pipeline = hosting.pipelines.get(params['pipeline_name'] ?? '');
        const deployment = pipeline.deployed();
        const deltaMs = readDelta(body);
        const now = await pipeline.exclusively(async () => {
          const advanced = advanceClock(pipeline, deltaMs);
          if (advanced === null) throw notDriven(pipeline.name);
          await deployment.wait('advance clock', (control, waitId) => control.tick(waitId, advanced));
          return advanced;
        });
        const reply: Shaped<typeof clockShape> = { now_ms: now, now: new Date(now).toISOString() };
        return json(200, reply);
      },
    },
  ];
}

const deltaMsMax = 100 * 365 * 86_400_000;

/** @throws HttpProblem InvalidParam */
function readDelta(body: unknown): number | null {
  const delta: unknown = Object(body ?? {}).delta_ms ?? null;
  if (delta === null) return null;
  if (typeof delta === 'number' && Number.isInteger(delta) && delta >= 0 && delta <= deltaMsMax) return delta;
  const message =
    '`delta_ms` is neither null nor a whole number of milliseconds, at most a hundred years: time does not go back';
  throw new HttpProblem({ status: 400, code: 'InvalidParam', message });
}

function notDriven(name: string): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'ClockNotHttpDriven',
    message: `the clock of pipeline '${name}' is that of the machine: with dev_tweaks.now_http_driven it is moved by requests`,
  });
}
