// The classes of a Java server as its machine has laid them out at the end of one start: half of what a further start takes of a processor
// is reading and checking them anew. Made once for a machine, by prepare-tools.ts; a server that has none, or one of another Java,
// starts as it always does.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

function pathOf(folder: string): string {
  return join(folder, 'classes.jsa');
}

/** Arguments of `java` for a server whose program lies in `folder`. */
export function archivedClasses(folder: string): readonly string[] {
  return existsSync(pathOf(folder))
    ? [`-XX:SharedArchiveFile=${pathOf(folder)}`, '-Xlog:disable', '-Xlog:all=error']
    : [];
}

/** `runOnce` starts the server with these arguments and ends it in order. Does nothing where there is an archive. */
export async function makeClassArchive(
  folder: string,
  runOnce: (javaArguments: readonly string[]) => Promise<void>,
): Promise<void> {
  if (existsSync(pathOf(folder))) return;
  // It has its name when it is complete: two at a time do not meet.
  const own = join(folder, `making-${process.pid}.jsa`);
  try {
    await runOnce([`-XX:ArchiveClassesAtExit=${own}`]);
    if (existsSync(own)) renameSync(own, pathOf(folder));
  } finally {
    rmSync(own, { force: true });
  }
}
