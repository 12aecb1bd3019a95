import pkcs11js from 'pkcs11js';

import { CKF, CKU, userStates } from './constants.ts';
import { HsmError } from './error.ts';
import { CKR, findReturnValue, returnValueError } from './return-value.ts';

/** CK_SLOT_ID, CK_SESSION_HANDLE and CK_OBJECT_HANDLE: a CK_ULONG in the machine's byte order. */
export type Handle = Buffer;

export interface Attribute {
  readonly type: number;
  readonly value: number | boolean | string | Buffer;
}

export type Template = readonly Attribute[];

/** CK_MECHANISM; `parameter` is what the mechanism takes as raw bytes, such as an IV. */
export interface Mechanism {
  readonly mechanism: number;
  readonly parameter?: Buffer;
}

/** CK_TOKEN_INFO's identifying fields without their padding. */
export interface TokenInfo {
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
}

interface LoadedModule {
  readonly library: pkcs11js.PKCS11;
  /** False where somebody else in the process has initialized it, whose it is to finalize then. */
  readonly isOurs: boolean;
  users: number;
}

// C_Initialize is once per process, so a module's users must share it; nothing else here is global.
const loadedModules = new Map<string, LoadedModule>();

function call<Result>(name: string, invoke: () => Result): Result {
  try {
    return invoke();
  } catch (error) {
    throw translated(name, error);
  }
}

function translated(name: string, error: unknown): HsmError {
  const returnValue = findReturnValue(error);
  return returnValue === undefined
    ? new HsmError('request_rejected', `${name} could not be called`, { cause: error })
    : returnValueError(name, returnValue, error);
}

/**
 * Awaits a call that runs on a libuv thread. `inputs` stay referenced until it returns: pkcs11js
 * hands the thread bare pointers into these buffers and does not keep them alive itself.
 */
async function callAsync<Result>(
  name: string,
  inputs: readonly Buffer[],
  invoke: () => Promise<Result>,
): Promise<Result> {
  inFlight.add(inputs);
  try {
    return await invoke();
  } catch (error) {
    throw translated(name, error);
  } finally {
    inFlight.delete(inputs);
  }
}

const inFlight = new Set<readonly Buffer[]>();

function load(modulePath: string): LoadedModule {
  const library = new pkcs11js.PKCS11();
  try {
    library.load(modulePath);
  } catch (cause) {
    throw new HsmError('module_unavailable', 'the PKCS#11 module cannot be loaded', {
      cause,
      details: { modulePath },
    });
  }
  try {
    library.C_Initialize({ flags: CKF.osLockingOk });
  } catch (error) {
    if (findReturnValue(error) !== CKR.cryptokiAlreadyInitialized)
      throw translated('C_Initialize', error);
    return { library, isOurs: false, users: 0 };
  }
  return { library, isOurs: true, users: 0 };
}

/**
 * A PKCS#11 module narrowed to the calls that signfleet makes, with typed errors. Calls that can
 * take long run on libuv threads; for one session they must not overlap (PKCS#11 section 6.7.6).
 */
export class Cryptoki {
  readonly modulePath: string;
  readonly #module: LoadedModule;
  #closed = false;

  private constructor(modulePath: string, module: LoadedModule) {
    this.modulePath = modulePath;
    this.#module = module;
    module.users += 1;
  }

  /** @throws HsmError `module_unavailable`, or what C_Initialize returned. */
  static open(modulePath: string): Cryptoki {
    const module = loadedModules.get(modulePath) ?? load(modulePath);
    loadedModules.set(modulePath, module);
    return new Cryptoki(modulePath, module);
  }

  get #library(): pkcs11js.PKCS11 {
    if (this.#closed) throw new HsmError('closed', 'the PKCS#11 module has been closed');
    return this.#module.library;
  }

  /** Slots that hold a token, with the token's names. */
  tokens(): { readonly slot: Handle; readonly info: TokenInfo }[] {
    const library = this.#library;
    return call('C_GetSlotList', () => library.C_GetSlotList(true)).flatMap((slot) => {
      const raw = call('C_GetTokenInfo', () => library.C_GetTokenInfo(slot));
      const info = {
        label: raw.label.trimEnd(),
        manufacturer: raw.manufacturerID.trimEnd(),
        model: raw.model.trimEnd(),
        serial: raw.serialNumber.trimEnd(),
      };
      return [{ slot, info }];
    });
  }

  mechanisms(slot: Handle): number[] {
    return call('C_GetMechanismList', () => this.#library.C_GetMechanismList(slot));
  }

  openSession(slot: Handle, o: { readonly readWrite: boolean }): Handle {
    const flags = CKF.serialSession | (o.readWrite ? CKF.readWriteSession : 0);
    return call('C_OpenSession', () => this.#library.C_OpenSession(slot, flags));
  }

  closeSession(session: Handle): void {
    call('C_CloseSession', () => this.#library.C_CloseSession(session));
  }

  /** Logs the normal user in. The login belongs to the token, so being logged in already is fine. */
  login(session: Handle, pin: string): void {
    try {
      this.#library.C_Login(session, CKU.user, pin);
    } catch (error) {
      if (findReturnValue(error) !== CKR.userAlreadyLoggedIn) throw translated('C_Login', error);
    }
  }

  isLoggedIn(session: Handle): boolean {
    const info = call('C_GetSessionInfo', () => this.#library.C_GetSessionInfo(session));
    return userStates.includes(info.state);
  }

  /** Handles of all objects that match every attribute of `template`. */
  find(session: Handle, template: Template): Handle[] {
    const library = this.#library;
    call('C_FindObjectsInit', () => library.C_FindObjectsInit(session, [...template]));
    try {
      const found: Handle[] = [];
      for (;;) {
        const some = call('C_FindObjects', () => library.C_FindObjects(session, 64));
        if (some.length === 0) return found;
        found.push(...some);
      }
    } finally {
      call('C_FindObjectsFinal', () => library.C_FindObjectsFinal(session));
    }
  }

  attribute(session: Handle, object: Handle, type: number): Buffer {
    const [result] = call('C_GetAttributeValue', () =>
      this.#library.C_GetAttributeValue(session, object, [{ type }]),
    );
    if (result === undefined)
      throw new HsmError('device_error', 'C_GetAttributeValue returned nothing');
    return result.value;
  }

  createObject(session: Handle, template: Template): Handle {
    return call('C_CreateObject', () => this.#library.C_CreateObject(session, [...template]));
  }

  destroyObject(session: Handle, object: Handle): void {
    call('C_DestroyObject', () => this.#library.C_DestroyObject(session, object));
  }

  generateKey(session: Handle, mechanism: Mechanism, template: Template): Promise<Handle> {
    return callAsync('C_GenerateKey', [session], () =>
      this.#library.C_GenerateKeyAsync(session, mechanism, [...template]),
    );
  }

  generateKeyPair(
    session: Handle,
    o: {
      readonly mechanism: Mechanism;
      readonly publicKey: Template;
      readonly privateKey: Template;
    },
  ): Promise<{ readonly publicKey: Handle; readonly privateKey: Handle }> {
    return callAsync('C_GenerateKeyPair', [session], () =>
      this.#library.C_GenerateKeyPairAsync(
        session,
        o.mechanism,
        [...o.publicKey],
        [...o.privateKey],
      ),
    );
  }

  async wrapKey(
    session: Handle,
    o: { readonly mechanism: Mechanism; readonly wrappingKey: Handle; readonly key: Handle },
  ): Promise<Buffer> {
    const out = Buffer.alloc(8192);
    return callAsync('C_WrapKey', [out], () =>
      this.#library.C_WrapKeyAsync(session, o.mechanism, o.wrappingKey, o.key, out),
    );
  }

  /** C_SignInit and C_Sign: no other operation of the session may come between. */
  async sign(
    session: Handle,
    o: {
      readonly mechanism: Mechanism;
      readonly key: Handle;
      readonly data: Buffer;
      readonly maxBytes: number;
    },
  ): Promise<Buffer> {
    const library = this.#library;
    const out = Buffer.alloc(o.maxBytes);
    call('C_SignInit', () => library.C_SignInit(session, o.mechanism, o.key));
    return callAsync('C_Sign', [o.data, out], () => library.C_SignAsync(session, o.data, out));
  }

  encrypt(session: Handle, mechanism: Mechanism, key: Handle, data: Buffer): Buffer {
    const library = this.#library;
    call('C_EncryptInit', () => library.C_EncryptInit(session, mechanism, key));
    return call('C_Encrypt', () =>
      library.C_Encrypt(session, data, Buffer.alloc(data.length + 16)),
    );
  }

  random(session: Handle, bytes: number): Buffer {
    return call('C_GenerateRandom', () =>
      this.#library.C_GenerateRandom(session, Buffer.alloc(bytes)),
    );
  }

  /** Lets go of the module; its last user finalizes it, if we initialized it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#module.users -= 1;
    if (this.#module.users > 0) return;
    loadedModules.delete(this.modulePath);
    if (this.#module.isOurs) call('C_Finalize', () => this.#module.library.C_Finalize());
  }
}
