// Rows that a step has touched, kept until it is flushed: each with the number of the group that it belongs to.
//
// `byGroup` puts them side by side, group by group, in the order in which they came. Rows that came more than once are in it more than once.

/** What a large step has needed is given back behind it. */
const roomKept = 65_536;

export class PendingRows {
  #groups: Int32Array = new Int32Array(64);
  #ids: Int32Array = new Int32Array(64);
  #count = 0;

  add(group: number, id: number): void {
    if (this.#count === this.#ids.length) {
      this.#groups = grown(this.#groups);
      this.#ids = grown(this.#ids);
    }
    this.#groups[this.#count] = group;
    this.#ids[this.#count++] = id;
  }

  /** Those of group g are ids[starts[g] .. starts[g + 1]). Forgets them. */
  byGroup(groups: number): { readonly ids: Int32Array; readonly starts: Int32Array } {
    const starts = new Int32Array(groups + 1);
    const ids = new Int32Array(this.#count);
    placeByGroup(this.#groups, this.#ids, this.#count, starts, ids);
    this.#count = 0;
    if (this.#ids.length > roomKept) {
      this.#groups = new Int32Array(roomKept);
      this.#ids = new Int32Array(roomKept);
    }
    return { ids, starts };
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

// ── data plane ──

/** A counting sort: `starts` is all 0 and has one more than there are groups. */
function placeByGroup(groups: Int32Array, ids: Int32Array, count: number, starts: Int32Array, out: Int32Array): void {
  for (let i = 0; i < count; i++) starts[groups[i]! + 1]!++;
  for (let g = 1; g < starts.length; g++) starts[g]! += starts[g - 1]!;
  const next = starts.slice();
  for (let i = 0; i < count; i++) out[next[groups[i]!]!++] = ids[i]!;
}
