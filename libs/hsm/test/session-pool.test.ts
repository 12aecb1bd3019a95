import pkcs11js from 'pkcs11js';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Cryptoki, type Handle } from '../src/cryptoki.ts';
import { HsmError } from '../src/error.ts';
import { SessionPool, type Lease } from '../src/session-pool.ts';
import { findSlot, readPin } from '../src/token-uri.ts';
import { softHsm, type TestHsm, type TestToken } from './soft-hsm.ts';

/** A promise and what settles it. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

describe('the session pool', () => {
  let hsm: TestHsm;
  let token: TestToken;
  let cryptoki: Cryptoki;
  let slot: Handle;
  let library: pkcs11js.PKCS11;
  const pools: SessionPool[] = [];

  const openPool = (
    sessions: number,
    pinFile = token.pinFile,
    module: Cryptoki = cryptoki,
  ): SessionPool => {
    const pool = new SessionPool({
      cryptoki: module,
      findSlot: () => findSlot(cryptoki, { token: 'pool' }).slot,
      readPin: () => readPin(pinFile),
      sessions,
      readWrite: false,
    });
    pools.push(pool);
    return pool;
  };
  const useSession = (lease: Lease): Promise<boolean> =>
    Promise.resolve(cryptoki.isLoggedIn(lease.session));

  beforeAll(async () => {
    hsm = await softHsm();
    token = await hsm.initToken('pool');
    cryptoki = Cryptoki.open(hsm.modulePath);
    slot = findSlot(cryptoki, { token: 'pool' }).slot;
    library = new pkcs11js.PKCS11();
    library.load(hsm.modulePath);
  });

  // SoftHSM does not count sessions, but a user stays logged in for as long as one is open.
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
    const session = cryptoki.openSession(slot, { readWrite: false });
    expect(cryptoki.isLoggedIn(session)).toBe(false);
    cryptoki.closeSession(session);
  });

  afterAll(async () => {
    cryptoki.close();
    await hsm.remove();
  });

  it('lends each session to one user at a time, and no more than it has', async () => {
    const pool = openPool(2);
    const inUse = new Set<string>();
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, () =>
        pool.withSession(async ({ session }) => {
          const name = session.toString('hex');
          expect(inUse.has(name)).toBe(false);
          inUse.add(name);
          most = Math.max(most, inUse.size);
          await new Promise(setImmediate);
          inUse.delete(name);
        }),
      ),
    );
    expect(most).toBe(2);
    expect(pool.leases).toBe(0);
  });

  it('serves in the order of asking', async () => {
    const pool = openPool(1);
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map((index) =>
        pool.withSession(async () => {
          order.push(index);
          await new Promise(setImmediate);
        }),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps a session after an error that is not of the session', async () => {
    const pool = openPool(1);
    const first = await pool.withSession(({ session }) => Promise.resolve(session));
    const failure = new Error('not the fault of the HSM');
    await expect(pool.withSession(() => Promise.reject(failure))).rejects.toBe(failure);
    const second = await pool.withSession(({ session }) => Promise.resolve(session));
    expect(second).toEqual(first);
  });

  it('replaces a session that was closed under it, without a new login', async () => {
    const pool = openPool(1);
    const first = await pool.withSession(({ session, login }) => {
      cryptoki.closeSession(session);
      return Promise.resolve({ session, login });
    });
    await expect(pool.withSession(useSession)).rejects.toMatchObject({
      code: 'session_lost',
      retryable: true,
    });
    const second = await pool.withSession(async (lease) => ({
      ...lease,
      loggedIn: await useSession(lease),
    }));
    expect(second).toMatchObject({ login: first.login, loggedIn: true });
    expect(second.session).not.toEqual(first.session);
  });

  it('logs in anew when the login was lost with all sessions', async () => {
    const pool = openPool(2);
    const before = await pool.withSession(({ login }) => Promise.resolve(login));
    library.C_CloseAllSessions(slot);
    await expect(pool.withSession(useSession)).rejects.toBeInstanceOf(HsmError);
    const after = await pool.withSession(async (lease) => ({
      login: lease.login,
      loggedIn: await useSession(lease),
    }));
    expect(after.loggedIn).toBe(true);
    expect(after.login).not.toBe(before);
  });

  it('does not take a session back that was lent under an earlier login', async () => {
    const pool = openPool(2);
    const held = gate();
    const lent = gate();
    const old = pool.withSession(async ({ session }) => {
      lent.open();
      await held.passed;
      return session;
    });
    await lent.passed;
    const lost = new HsmError('login_lost', 'told so by the HSM');
    await expect(pool.withSession(() => Promise.reject(lost))).rejects.toBe(lost);
    held.open();
    await old;
    await expect(pool.withSession(useSession)).resolves.toBe(true);
  });

  it('closes a session that its user discards', async () => {
    const pool = openPool(1);
    const discarded = await pool.withSession((lease) => {
      lease.discard();
      return Promise.resolve(lease.session);
    });
    expect(() => cryptoki.isLoggedIn(discarded)).toThrow(HsmError);
  });

  it.each(['session_lost', 'login_lost'] as const)(
    'closes a session later that the device failed to close after %s',
    async (code) => {
      let failures = 0;
      const flaky = new Proxy(cryptoki, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name, target);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]): unknown => {
            if (name === 'closeSession' && failures > 0) {
              failures -= 1;
              throw new HsmError('device_error', 'told so by the HSM');
            }
            return member.apply(target, args) as unknown;
          };
        },
      });
      const pool = openPool(1, token.pinFile, flaky);
      let left: Handle | undefined;
      const failed = pool.withSession(({ session }) => {
        left = session;
        failures = code === 'session_lost' ? 1 : 2;
        return Promise.reject(new HsmError(code, 'told so by the HSM'));
      });
      await expect(failed).rejects.toMatchObject({ code });
      expect(cryptoki.isLoggedIn(left!)).toBe(true);
      await expect(pool.withSession(useSession)).resolves.toBe(true);
      expect(() => cryptoki.isLoggedIn(left!)).toThrow(HsmError);
    },
  );

  it('drops a login once when two of its users find it lost', async () => {
    const pool = openPool(3);
    const held = gate();
    const before = await pool.withSession(({ login }) => Promise.resolve(login));
    const lost = new HsmError('login_lost', 'told so by the HSM');
    const users = [0, 1].map(() =>
      pool.withSession(async () => {
        await held.passed;
        throw lost;
      }),
    );
    await new Promise(setImmediate);
    held.open();
    await Promise.allSettled(users);
    const after = await pool.withSession(({ login }) => Promise.resolve(login));
    // One number for the drop, one for the new login.
    expect(after - before).toBe(2);
  });

  it('tries a refused PIN only once, lest the token lock', async () => {
    const pinFile = `${hsm.directory}/changing.pin`;
    await writeFile(pinFile, 'wrong-pin\n');
    const pool = openPool(1, pinFile);
    await expect(pool.withSession(useSession)).rejects.toMatchObject({
      code: 'pin_rejected',
      retryable: false,
    });
    await writeFile(pinFile, `${token.pin}\n`);
    await expect(pool.withSession(useSession)).rejects.toMatchObject({ code: 'pin_rejected' });
    await expect(openPool(1, pinFile).withSession(useSession)).resolves.toBe(true);
  });

  it('closes after its users, refuses new ones, and may be closed twice', async () => {
    const pool = openPool(1);
    const held = gate();
    const user = pool.withSession(() => held.passed);
    const waiter = pool.withSession(useSession);
    expect(pool.waiting).toBe(1);
    const closing = [pool.close(), pool.close()];
    await expect(waiter).rejects.toMatchObject({ code: 'closed' });
    await expect(pool.withSession(useSession)).rejects.toMatchObject({ code: 'closed' });
    held.open();
    await user;
    await Promise.all(closing);
    expect(pool.leases).toBe(0);
  });
});
