import { renderTable } from '../output.ts';

/** How one document fared. */
export interface DocumentOutcome {
  readonly file: string;
  readonly user: string;
  readonly algorithm: string;
  /** PAdES level as read back from the signed file, or empty. */
  readonly level: string;
  /** One word, or the reason why it was not signed. */
  readonly verdict: string;
  /** What `pdfsig` and `openssl cms -verify` say. */
  readonly others: string;
  /** From submission to the final state. */
  readonly millis: number | undefined;
  readonly signed: boolean;
}

export function documentsTable(outcomes: readonly DocumentOutcome[]): string {
  return renderTable(
    ['FILE', 'USER', 'ALGORITHM', 'LEVEL', 'VERDICT', 'PDFSIG / OPENSSL', 'MS'],
    outcomes.map((one) => [
      one.file,
      one.user,
      one.algorithm,
      one.level,
      one.verdict,
      one.others,
      one.millis === undefined ? '' : Math.round(one.millis),
    ]),
  );
}

/** `12 signed, 2 refused`: the last line for a person in a hurry. */
export function documentsSummary(outcomes: readonly DocumentOutcome[]): string {
  const signed = outcomes.filter((one) => one.signed).length;
  return `${signed} signed, ${outcomes.length - signed} refused`;
}
