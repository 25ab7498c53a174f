// Pictures of circuits: boxes do not lie upon one another, and no line runs behind a box.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { box, type LaidOperator, layOut } from '../../../../actors/gateway/cli/circuit-layout.ts';

const circuits = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 25 })
  .map((drawn): readonly LaidOperator[] =>
    drawn.map((picks, id) => ({ id, inputs: id === 0 ? [] : [...new Set(picks.map((pick) => pick % id))] })),
  );

test('every operator has a place of its own behind its inputs', () => {
  fc.assert(
    fc.property(circuits, (circuit) => {
      const { places, width, height } = layOut(circuit);
      for (const { id, inputs } of circuit) {
        const place = places.get(id);
        assert.ok(place !== undefined && place.x + box.width <= width && place.y + box.height <= height);
        for (const input of inputs) assert.ok((places.get(input)?.x ?? Number.NaN) < place.x);
        for (const [other, { x, y }] of places) {
          if (other !== id && x === place.x) assert.ok(Math.abs(y - place.y) >= box.height);
        }
      }
    }),
  );
});

test('lines lead from each input to its reader, and pass no box on the way', () => {
  fc.assert(
    fc.property(circuits, (circuit) => {
      const { places, segments } = layOut(circuit);
      for (const { from, to } of segments) {
        for (const { x, y } of places.values()) {
          // Straight through a column: beside every box of it. A bend runs between two columns.
          if (from.x === x && to.x === x + box.width) assert.not.ok(from.y > y && from.y < y + box.height);
        }
      }
      for (const { id, inputs } of circuit) {
        for (const input of inputs) {
          const [start, end] = [places.get(input), places.get(id)];
          assert.ok(start !== undefined && end !== undefined);
          const own = segments.filter(({ source }) => source === input);
          let reached = new Set([`${start.x + box.width} ${start.y + box.height / 2}`]);
          for (let steps = 0; steps <= own.length; steps++) {
            const next = own
              .filter(({ from }) => reached.has(`${from.x} ${from.y}`))
              .map(({ to }) => `${to.x} ${to.y}`);
            reached = new Set([...reached, ...next]);
          }
          assert.ok(reached.has(`${end.x} ${end.y + box.height / 2}`), `${input} to ${id}`);
        }
      }
    }),
  );
});

test.run();
