import { createHash } from 'node:crypto';

import type { KeyAlgorithm } from '@signfleet/pki';
import pkcs11js from 'pkcs11js';

/** What one HSM can do at most, with bare PKCS#11 calls and nothing around them. */
export interface RawRate {
  readonly algorithm: KeyAlgorithm;
  readonly sessions: number;
  /** C_UnwrapKey + C_Sign + C_DestroyObject of a session key, per second. */
  readonly unwrapSignDestroyPerSecond: number;
  /** C_Sign with a key that stays, per second. */
  readonly signPerSecond: number;
}

export interface RawRateOptions {
  readonly modulePath: string;
  readonly tokenLabel: string;
  readonly pin: string;
  readonly algorithm: KeyAlgorithm;
  readonly seconds: number;
  readonly sessions: number;
}

const C = pkcs11js;
const wrapPad = { mechanism: C.CKM_AES_KEY_WRAP_PAD };
const curves = { 'P-256': '06082a8648ce3d030107', 'P-384': '06052b81040022' } as const;
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

interface Workload {
  readonly keyType: number;
  readonly generate: number;
  readonly parameters: pkcs11js.Template;
  readonly sign: pkcs11js.Mechanism;
  readonly input: Buffer;
}

function workload(algorithm: KeyAlgorithm): Workload {
  if (algorithm === 'P-256' || algorithm === 'P-384')
    return {
      keyType: C.CKK_EC,
      generate: C.CKM_EC_KEY_PAIR_GEN,
      parameters: [{ type: C.CKA_EC_PARAMS, value: Buffer.from(curves[algorithm], 'hex') }],
      sign: { mechanism: C.CKM_ECDSA },
      input: createHash(algorithm === 'P-256' ? 'sha256' : 'sha384').digest(),
    };
  return {
    keyType: C.CKK_RSA,
    generate: C.CKM_RSA_PKCS_KEY_PAIR_GEN,
    parameters: [
      { type: C.CKA_MODULUS_BITS, value: Number(algorithm.slice(4)) },
      { type: C.CKA_PUBLIC_EXPONENT, value: Buffer.from('010001', 'hex') },
    ],
    sign: { mechanism: C.CKM_RSA_PKCS },
    input: Buffer.concat([digestInfo, createHash('sha256').digest()]),
  };
}

async function perSecond(
  o: { readonly seconds: number; readonly sessions: readonly Buffer[] },
  once: (session: Buffer) => Promise<void>,
): Promise<number> {
  let done = 0;
  const start = performance.now();
  const end = start + 1000 * o.seconds;
  await Promise.all(
    o.sessions.map(async (session) => {
      while (performance.now() < end) {
        await once(session);
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - start) / 1000);
}

function openSessions(library: pkcs11js.PKCS11, o: RawRateOptions): Buffer[] {
  const slot = library
    .C_GetSlotList(true)
    .find((candidate) => library.C_GetTokenInfo(candidate).label.trimEnd() === o.tokenLabel);
  if (slot === undefined) throw new Error('no slot holds the token');
  const flags = C.CKF_SERIAL_SESSION;
  const sessions = Array.from({ length: o.sessions }, () => library.C_OpenSession(slot, flags));
  const [first] = sessions;
  if (first === undefined) throw new Error('at least one session is needed');
  library.C_Login(first, C.CKU_USER, o.pin);
  return sessions;
}

function generateWrapped(
  library: pkcs11js.PKCS11,
  session: Buffer,
  work: Workload,
): { readonly wrappingKey: Buffer; readonly key: Buffer; readonly blob: Buffer } {
  const wrappingKey = library.C_GenerateKey(session, { mechanism: C.CKM_AES_KEY_GEN }, [
    { type: C.CKA_TOKEN, value: false },
    { type: C.CKA_VALUE_LEN, value: 32 },
    { type: C.CKA_WRAP, value: true },
    { type: C.CKA_UNWRAP, value: true },
  ]);
  const pair = library.C_GenerateKeyPair(
    session,
    { mechanism: work.generate },
    [{ type: C.CKA_TOKEN, value: false }, ...work.parameters],
    [
      { type: C.CKA_TOKEN, value: false },
      { type: C.CKA_SIGN, value: true },
      { type: C.CKA_EXTRACTABLE, value: true },
    ],
  );
  const room = Buffer.alloc(8192);
  const blob = library.C_WrapKey(session, wrapPad, wrappingKey, pair.privateKey, room);
  return { wrappingKey, key: pair.privateKey, blob };
}

/**
 * Measures a token through bare pkcs11js in `sessions` sessions at once, with a key and a wrapping
 * key of its own that are gone afterwards. No other user of the module may be in this process.
 */
export async function measureRawRate(o: RawRateOptions): Promise<RawRate> {
  const library = new C.PKCS11();
  library.load(o.modulePath);
  library.C_Initialize({ flags: C.CKF_OS_LOCKING_OK });
  try {
    const work = workload(o.algorithm);
    const sessions = openSessions(library, o);
    const [first] = sessions as [Buffer];
    const { wrappingKey, key, blob } = generateWrapped(library, first, work);
    const template = [
      { type: C.CKA_CLASS, value: C.CKO_PRIVATE_KEY },
      { type: C.CKA_KEY_TYPE, value: work.keyType },
      { type: C.CKA_TOKEN, value: false },
      { type: C.CKA_SENSITIVE, value: true },
      { type: C.CKA_EXTRACTABLE, value: false },
      { type: C.CKA_SIGN, value: true },
    ];
    const sign = async (session: Buffer, signingKey: Buffer): Promise<void> => {
      library.C_SignInit(session, work.sign, signingKey);
      await library.C_SignAsync(session, work.input, Buffer.alloc(512));
    };
    const run = { seconds: o.seconds / 2, sessions };
    const unwrapSignDestroyPerSecond = await perSecond(run, async (session) => {
      const handle = await library.C_UnwrapKeyAsync(session, wrapPad, wrappingKey, blob, template);
      await sign(session, handle);
      library.C_DestroyObject(session, handle);
    });
    const signPerSecond = await perSecond(run, (session) => sign(session, key));
    const { algorithm } = o;
    return { algorithm, sessions: o.sessions, unwrapSignDestroyPerSecond, signPerSecond };
  } finally {
    library.C_Finalize();
  }
}
