// Runs contenders in turn, round by round, so that whatever else the machine does falls on all of them alike.
//
// Round 0 warms caches of files and of the processor and is not counted. The order is turned round in every second
// round (A B, B A, A B, …): who comes first has no advantage over all.

export interface Contender<Run> {
  readonly name: string;
  /** Round 0 is not counted. */
  run(round: number): Promise<Run>;
}

/** Called before every run. */
export type OnRun = (name: string, round: number) => void;

export interface Rounds {
  /** How many are counted. */
  readonly counted: number;
  /** Whether there is a round 0. */
  readonly warmsUp: boolean;
}

/** Counted runs of each contender, in their order. */
export async function alternate<Run>(
  contenders: readonly Contender<Run>[],
  rounds: Rounds,
  onRun: OnRun = () => {},
): Promise<readonly (readonly Run[])[]> {
  const runs: Run[][] = contenders.map(() => []);
  for (let round = rounds.warmsUp ? 0 : 1; round <= rounds.counted; round++) {
    const order = contenders.map((contender, i) => ({ contender, i }));
    if (round % 2 === 1) order.reverse();
    for (const { contender, i } of order) {
      onRun(contender.name, round);
      const run = await contender.run(round);
      if (round > 0) runs[i]?.push(run);
    }
  }
  return runs;
}
