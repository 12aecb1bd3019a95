import type { User } from '@signfleet/db';
import type { z } from 'zod';
import type { user } from '../schemas/user.ts';
import { toTime } from './time.ts';

export function presentUser(row: User): z.output<typeof user> {
  const { id, name, email, organization, country, externalId } = row;
  return { id, name, email, organization, country, externalId, createdAt: toTime(row.createdAt) };
}
