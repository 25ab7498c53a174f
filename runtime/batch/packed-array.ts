// An array of as many objects as another one, made by a function of each: as `map` makes it, but always of one kind.
//
// What `map` of V8 gives is an array without holes as long as its caller is not optimised, and one that may have some from then on. To code
// that reads such arrays those are two classes: whoever was optimised for the first is thrown away when a caller of `map` is optimised, often
// minutes later, and all of it is compiled once more. Arrays that batches consist of, and what kernels are handed a step, are made here.

export function packed<A, B>(from: readonly A[], make: (each: A, at: number) => B): B[] {
  const made: B[] = [];
  for (let at = 0; at < from.length; at++) made.push(make(from[at]!, at));
  return made;
}
