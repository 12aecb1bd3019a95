import type { PdfDictionary } from './pdf-value.ts';

/** Where an object is. Offsets count from the header's origin. ISO 32000-2, 7.5.4 and 7.5.8.3. */
export type XrefEntry =
  | { readonly type: 'free' }
  | { readonly type: 'offset'; readonly offset: number; readonly generation: number }
  | { readonly type: 'compressed'; readonly container: number; readonly index: number };

/**
 * One cross-reference section. `kind` is the form it was written in; a recovered one was rebuilt by
 * scanning, and `offset` is then 0. `hybrid` is the stream that a table's `/XRefStm` names.
 */
export interface XrefSection {
  readonly kind: 'table' | 'stream' | 'recovered';
  readonly offset: number;
  readonly trailer: PdfDictionary;
  readonly trailerBytes: Uint8Array;
  readonly highestObjectNumber: number;
  readonly hybrid?: XrefSection;
  readonly find: (objectNumber: number) => XrefEntry | undefined;
}

/** Looks an object up in sections, newest first, with the order for hybrid files of 7.5.8.4. */
export function findEntry(
  sections: readonly XrefSection[],
  objectNumber: number,
): XrefEntry | undefined {
  for (const section of sections) {
    const own = section.find(objectNumber);
    if (own !== undefined && own.type !== 'free') return own;
    const entry = section.hybrid?.find(objectNumber) ?? own;
    if (entry !== undefined) return entry;
  }
  return undefined;
}
