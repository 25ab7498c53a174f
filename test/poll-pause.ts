// The pause between two looks at a server, a process or a thread that a test waits for: a loop without one takes the processor
// that the other side needs. It is no deadline and nothing follows from its length; what is waited for is a condition.
export function pollPause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
