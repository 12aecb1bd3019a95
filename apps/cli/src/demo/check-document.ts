import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { verifyDocument } from '@signfleet/pdf';
import type { ApiClient } from '../api-client.ts';
import { download } from '../transfer.ts';
import type { DocumentOutcome } from './documents-table.ts';
import { opensslVerdict } from './openssl-cms.ts';
import { pdfsigVerdict } from './pdfsig.ts';
import type { Progress } from './progress.ts';
import type { Settled } from './sign-batch.ts';

export interface CheckOptions {
  readonly api: ApiClient;
  readonly progress: Progress;
  readonly outputFolder: string;
  /** Root of the built-in CA: DER for our verifier, a PEM file for the others. */
  readonly caCertificate: Uint8Array;
  readonly caCertificateFile: string;
  readonly pathOf: (settled: Settled) => string;
}

/** Downloads a signed document and has our verifier, `pdfsig` and OpenSSL judge it. */
export async function checkDocument(
  settled: Settled,
  options: CheckOptions,
): Promise<DocumentOutcome> {
  const { document, signer, signing } = settled;
  const row = { file: document.name, user: signer.name, algorithm: signer.algorithm };
  if (signing?.state !== 'completed') {
    options.progress.advance('download');
    options.progress.advance('verify');
    const why = signing === undefined ? settled.problem : (signing.error?.message ?? signing.state);
    return { ...row, level: '', verdict: why, others: '', millis: undefined, signed: false };
  }
  const bytes = await download(options.api, signing.id);
  const path = join(options.outputFolder, options.pathOf(settled));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  options.progress.advance('download');
  const judged = await judge(bytes, path, options);
  options.progress.advance('verify');
  const millis = Object.values(signing.stageMillis ?? {}).reduce((sum, one) => sum + one, 0);
  return { ...row, ...judged, millis };
}

async function judge(bytes: Uint8Array, path: string, options: CheckOptions) {
  const trust = { trustAnchors: [options.caCertificate] };
  const report = verifyDocument(bytes, trust).find((one) => one.coversWholeFile);
  if (report?.byteRange === undefined) {
    return { level: '', verdict: 'invalid: not covered', others: '', signed: false };
  }
  const [poppler, openssl] = await Promise.all([
    pdfsigVerdict(path),
    opensslVerdict({
      document: bytes,
      byteRange: report.byteRange,
      caFile: options.caCertificateFile,
    }),
  ]);
  const sound = report.valid && report.trusted === true;
  return {
    level: report.level ?? '',
    verdict: sound ? 'valid' : `invalid: ${report.codes.join(', ')}`,
    others: `${poppler} / ${openssl}`,
    signed: sound && poppler !== 'invalid' && openssl !== 'invalid',
  };
}
