// Data of the orders benchmark: users and orders as files, seeded, the same on every machine.
//
//   users.csv      id,name,country                                        (100 000 rows, header)
//   orders.ndjson  {"id":1,"user_id":42,"amount":17.25,"ts":"2026-01-01 00:00:00.123","note":"…"}    about 90 bytes a row
//   orders.csv     the same columns with a header
// Written once into bench/data/ and kept. A finished file is renamed into place, so that a cut run leaves none.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface OrdersFiles {
  readonly users: string;
  readonly ordersJson: string;
  readonly ordersCsv: string;
  readonly orders: number;
}

export const countries: readonly string[] = [
  ...['Austria', 'Belgium', 'Brazil', 'Canada', 'Chile', 'Denmark', 'Egypt', 'Finland', 'France', 'Germany'],
  ...['Ghana', 'Greece', 'India', 'Italy', 'Japan', 'Kenya', 'Mexico', 'Norway', 'Peru', 'Spain'],
];

/** xorshift32: seeded, exact in 32-bit arithmetic. */
function makeRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function writeLines(path: string, rows: number, line: (row: number) => string, header: string): void {
  if (existsSync(path)) return;
  const unfinished = `${path}.unfinished`;
  const file = openSync(unfinished, 'w');
  let lines: string[] = header === '' ? [] : [header];
  for (let row = 1; row <= rows; row++) {
    lines.push(line(row));
    if (lines.length === 10_000 || row === rows) {
      writeSync(file, `${lines.join('\n')}\n`);
      lines = [];
    }
  }
  closeSync(file);
  renameSync(unfinished, path);
}

function orderFields(random: () => number, row: number, users: number): [number, number, string, string, string] {
  const cents = random() % 100_000;
  const time = new Date(1_767_225_600_000 + row * 37).toISOString().replace('T', ' ').replace('Z', '');
  const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
  return [row, (random() % users) + 1, amount, time, `n${random() % 1000}`];
}

/** Makes what is missing; says so on stderr because it takes a while. */
export function makeOrdersFiles(folder: string, orders: number, users: number): OrdersFiles {
  mkdirSync(folder, { recursive: true });
  const files: OrdersFiles = {
    users: join(folder, `users-${users}.csv`),
    ordersJson: join(folder, `orders-${orders}-${users}.ndjson`),
    ordersCsv: join(folder, `orders-${orders}-${users}.csv`),
    orders,
  };
  const missing = [files.users, files.ordersJson, files.ordersCsv].filter((path) => !existsSync(path));
  if (missing.length > 0) process.stderr.write(`making ${missing.length} data files in ${folder}\n`);
  const userRandom = makeRandom(7);
  writeLines(
    files.users,
    users,
    (row) => `${row},user-${row.toString(36)},${countries[userRandom() % countries.length]}`,
    'id,name,country',
  );
  const jsonRandom = makeRandom(11);
  writeLines(
    files.ordersJson,
    orders,
    (row) => {
      const [id, user, amount, time, note] = orderFields(jsonRandom, row, users);
      return `{"id":${id},"user_id":${user},"amount":${amount},"ts":"${time}","note":"${note}"}`;
    },
    '',
  );
  const csvRandom = makeRandom(11);
  writeLines(
    files.ordersCsv,
    orders,
    (row) => orderFields(csvRandom, row, users).join(','),
    'id,user_id,amount,ts,note',
  );
  return files;
}

/** Bytes of a file in MB (10^6). */
export function megabytes(path: string): number {
  return statSync(path).size / 1e6;
}
