import { describe, expect, it } from 'vitest';
import { PdfError } from '../src/error.ts';
import { verifySealed } from '../src/verify/verify-sealed.ts';
import { onePage, writePdf } from './pdf-fixture.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';

const identity = createIdentity('P-256');
const sealed = await signPdf(writePdf(onePage()), identity);
const { source } = sealed.digested.prepared;

describe('the gate for our own output', () => {
  it('finds a changed source, a changed revision and a cut one', () => {
    const flip = (bytes: Uint8Array, position: number): Uint8Array => {
      const changed = Uint8Array.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ 1;
      return changed;
    };
    const [original, appended] = sealed.chunks;
    const withChunks = (chunks: readonly Uint8Array[]) => verifySealed({ ...sealed, chunks });
    expect(verifySealed(sealed)).toMatchObject({ valid: true, coversWholeFile: true, codes: [] });
    expect(withChunks([flip(original!, 30), appended!])).toMatchObject({
      intact: false,
      codes: ['message_digest_mismatch'],
    });
    expect(withChunks([original!, flip(appended!, 40)])).toMatchObject({ intact: false });
    expect(() => withChunks([original!, appended!.subarray(0, -30)])).toThrow(PdfError);
  });

  it('finds a signature by another key', async () => {
    const other = createIdentity('P-256');
    const swapped = { ...identity, signer: other.signer };
    expect(verifySealed(await signPdf(source, swapped))).toMatchObject({
      intact: false,
      codes: ['signature_invalid'],
    });
  });
});
