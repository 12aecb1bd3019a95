/** A report with its DER members as base64, for people and programs. */
export function readable(report: unknown): unknown {
  return JSON.parse(
    JSON.stringify(report, (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ),
  );
}
