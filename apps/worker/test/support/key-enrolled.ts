import { setTimeout as sleep } from 'node:timers/promises';
import type { TestFleet } from './fleet.ts';

/** Waits until a key's enrolment is over; returns its row. */
export async function keyEnrolled(fleet: TestFleet, id: string, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const row = await fleet.database.prisma.key.findUniqueOrThrow({ where: { id } });
    if (row.state !== 'pending') return row;
    if (Date.now() > end) throw new Error(`${id} is not enrolled: ${row.errorCode ?? 'no error'}`);
    await sleep(50);
  }
}
