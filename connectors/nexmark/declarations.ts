// What configurations may say of nexmark. Its code is loaded when it is used.
import type { SourceDeclaration } from '../sdk/load-on-use.ts';
import type { Parameter } from '../sdk/parameters.ts';

const count = (name: string, otherwise: number, description: string, min = 1): Parameter => ({
  name,
  type: { kind: 'integer', min },
  required: false,
  default: otherwise,
  description,
});

const optionParameters: readonly Parameter[] = [
  count('events', 100_000_000, 'Events of all three tables together, after which the inputs end.', 0),
  count('seed', 0, 'The same seed gives the same events on every machine.', 0),
  {
    name: 'rate',
    type: { kind: 'number', min: 0.001 },
    required: false,
    description: 'Events a second, of all three tables together. Default: as fast as they are taken.',
  },
  {
    name: 'event_gap_ms',
    type: { kind: 'number', min: 0.001 },
    required: false,
    default: 10,
    description: 'How far the time of an event lies behind that of the event before.',
  },
  count('hot_auction_ratio', 2, 'All bids but one in so many are for a hot auction.'),
  count('hot_seller_ratio', 4, 'All auctions but one in so many are of a hot seller.'),
  count('hot_bidder_ratio', 4, 'All bids but one in so many are of a hot bidder.'),
  count('threads', 4, 'Accepted, without effect: each table has one thread.'),
  count('batch_size_per_thread', 1000, 'Accepted, without effect.'),
  count('max_step_size_per_thread', 10_000, 'Accepted, without effect.'),
];

export const nexmarkDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'nexmark',
  summary: 'Generates the events of the Nexmark benchmark: people, auctions and bids of an online auction.',
  description:
    'One connector for each of the three tables; together they are one stream of events, 2 % people, 6 % auctions, 92 % bids, in which every bid is for an auction and every auction of a person that came before. `options` is given on one of them and holds for all. Columns are filled by name: a table may leave columns out.',
  format: 'none',
  sharedParameters: ['options'],
  parameters: [
    {
      name: 'table',
      type: { kind: 'enum', values: ['bid', 'auction', 'person'] },
      required: true,
      description: 'Which of the events this connector gives.',
    },
    {
      name: 'options',
      type: { kind: 'object', parameters: optionParameters },
      required: false,
      description: 'Of the stream of events. Give them on one connector; the others of the program follow it.',
    },
  ],
};
