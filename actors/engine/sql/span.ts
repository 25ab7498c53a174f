// Where a part of a program stands in its text: offsets of UTF-16 units, the end exclusive. sql-text.ts makes lines and columns of them.
export interface Span {
  readonly start: number;
  readonly end: number;
}
