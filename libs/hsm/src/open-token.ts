import { Cryptoki, type Mechanism, type TokenInfo } from './cryptoki.ts';
import { HsmError } from './error.ts';
import { nativeUnwrap, type NativeUnwrap } from './native-unwrap.ts';
import { SessionPool } from './session-pool.ts';
import { findSlot, parseTokenUri, readPin } from './token-uri.ts';
import { vendorProfileOf, wrapMechanismOf, type VendorProfile } from './vendor-profile.ts';

/** Where a token is and how to log in to it. */
export interface TokenAccess {
  /** RFC 7512 URI that names the token. */
  readonly tokenUri: string;
  /** File with the user's PIN; default: the URI's `pin-source`. */
  readonly pinFile?: string;
  /** PKCS#11 module; default: the URI's `module-path`. */
  readonly modulePath?: string;
}

/** A token with its session pool. */
export interface OpenToken {
  readonly cryptoki: Cryptoki;
  readonly pool: SessionPool;
  readonly info: TokenInfo;
  readonly profile: VendorProfile;
  readonly wrapMechanism: Mechanism;
  readonly unwrap: NativeUnwrap;
  /** Idempotent. */
  close(): Promise<void>;
}

/** @throws HsmError `token_uri_invalid`, `module_unavailable`, `token_not_present`, `mechanism_unsupported`. */
export function openToken(
  access: TokenAccess,
  o: { readonly sessions: number; readonly readWrite: boolean },
): OpenToken {
  const uri = parseTokenUri(access.tokenUri);
  const modulePath = access.modulePath ?? uri.modulePath;
  const pinFile = access.pinFile ?? uri.pinFile;
  if (modulePath === undefined)
    throw new HsmError('token_uri_invalid', 'neither module-path nor a module was given');
  if (pinFile === undefined)
    throw new HsmError('token_uri_invalid', 'neither pin-source nor a PIN file was given');
  const cryptoki = Cryptoki.open(modulePath);
  try {
    const { slot, info } = findSlot(cryptoki, uri);
    const profile = vendorProfileOf(info);
    const pool = new SessionPool({
      cryptoki,
      findSlot: () => findSlot(cryptoki, uri).slot,
      readPin: () => readPin(pinFile),
      ...o,
    });
    return {
      cryptoki,
      pool,
      info,
      profile,
      wrapMechanism: wrapMechanismOf(profile, cryptoki.mechanisms(slot)),
      unwrap: nativeUnwrap(modulePath),
      close: async () => {
        await pool.close();
        cryptoki.close();
      },
    };
  } catch (error) {
    cryptoki.close();
    throw error;
  }
}
