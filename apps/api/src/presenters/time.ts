/** RFC 3339 in UTC. */
export function toTime(date: Date): string {
  return date.toISOString();
}

/** RFC 3339 in UTC, or null. */
export function toOptionalTime(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
