import type { Backed, Reached } from './consistency-program';
import type { Program } from './machine';

/** What `consistency-program` reports about its backup, after the phases that were observed. */
export async function expectBacked(program: Program, inPhase?: (phase: string) => Promise<void>): Promise<Backed> {
  for (;;) {
    const told = (await program.expectNext()) as Backed | Reached;
    if ('databases' in told) return told;
    await inPhase?.(told.phase);
  }
}
