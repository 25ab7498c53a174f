// One timed run of examples/flights in a process of its own. Prints one JSON line {seconds, rows, checksum, peakMegabytes};
// the checksum counts the flights of every hour of the day in the view at the end.
import { Pipeline } from '../index.ts';

const pipeline = await Pipeline.open<{ flights_by_hour: { hour: number; flights: number } }>({
  file: 'examples/flights/pipeline.yaml',
});
const started = performance.now();
await pipeline.start();
await pipeline.waitForCompletion();
const seconds = (performance.now() - started) / 1000;
const hours = await pipeline.query<{ flights: number }>('SELECT flights FROM flights_by_hour');
const flights = hours.reduce((sum, row) => sum + row.flights, 0);
const { inputs } = await pipeline.stats();
await pipeline.stop();
const rows = inputs.reduce((sum, input) => sum + input.totalRecords, 0);
const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1000);
process.stdout.write(`${JSON.stringify({ seconds, rows, checksum: `${flights} flights`, peakMegabytes })}\n`);
