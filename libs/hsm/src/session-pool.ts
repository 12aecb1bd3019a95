import type { Cryptoki, Handle } from './cryptoki.ts';
import { HsmError } from './error.ts';

/** A session with exactly one user, for as long as the callback that it is lent to runs. */
export interface Lease {
  readonly session: Handle;
  /** Changes with every login: handles of token objects found under another login are stale. */
  readonly login: number;
  /** Has the session closed, not reused, when the lease ends; its session objects die with it. */
  discard(): void;
}

export interface SessionPoolOptions {
  readonly cryptoki: Cryptoki;
  /** Finds the token's slot. Asked at every login, since a token may come back in another slot. */
  readonly findSlot: () => Handle;
  readonly readPin: () => Promise<string>;
  /** At most so many sessions are lent at a time; one more holds the login. */
  readonly sessions: number;
  readonly readWrite: boolean;
}

interface Login {
  readonly number: number;
  readonly slot: Handle;
  readonly session: Handle;
}

/**
 * Lends PKCS#11 sessions of one token: bounded, first come first served, logged in once. A session
 * or login found broken is replaced for the next caller; the caller that found it gets the error.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #idle: { readonly session: Handle; readonly login: number }[] = [];
  /** Could not be closed, so that what their users left in them may still be there. */
  readonly #unclosed: Handle[] = [];
  readonly #waiting: { grant(): void; refuse(error: HsmError): void }[] = [];
  #leases = 0;
  #logins = 0;
  #login: Promise<Login> | undefined;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: SessionPoolOptions) {
    if (!Number.isInteger(options.sessions) || options.sessions < 1)
      throw new HsmError('request_rejected', 'a session pool needs at least one session');
    this.#options = options;
  }

  /** Sessions that are lent at the moment. */
  get leases(): number {
    return this.#leases;
  }

  /** Callers that wait for a session. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Lends a session to `use`. Do not call it from inside `use`: with one session it would wait for
   * itself.
   *
   * @throws HsmError `closed`, whatever the login meets, and what `use` throws.
   */
  async withSession<Result>(use: (lease: Lease) => Promise<Result>): Promise<Result> {
    await this.#enter();
    try {
      const held = await this.#takeSession();
      const state = { reusable: true };
      const discard = (): void => {
        state.reusable = false;
      };
      try {
        return await use({ session: held.session, login: held.login, discard });
      } catch (error) {
        if (error instanceof HsmError && error.spoils !== 'call') {
          discard();
          await this.#suspectLogin(held.login, error);
        }
        throw error;
      } finally {
        if (state.reusable && held.login === this.#logins) this.#idle.push(held);
        else this.#giveUp(held);
      }
    } finally {
      this.#leave();
    }
  }

  /** Refuses new callers, waits for the lent sessions to come back, and closes all. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(closed());
    if (this.#leases > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.#dropLogin();
  }

  #enter(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    if (this.#leases < this.#options.sessions) {
      this.#leases += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.#waiting.push({ grant: resolve, refuse: reject }));
  }

  // The lease count passes to the next in line unchanged, so that nobody can slip in between.
  #leave(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.grant();
      return;
    }
    this.#leases -= 1;
    if (this.#leases === 0) this.#drained?.();
  }

  async #takeSession(): Promise<{ readonly session: Handle; readonly login: number }> {
    const login = await this.#ensureLogin();
    this.#closeLeftOver();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const { cryptoki, readWrite } = this.#options;
    try {
      return { session: cryptoki.openSession(login.slot, { readWrite }), login: login.number };
    } catch (error) {
      await this.#suspectLogin(login.number, error);
      throw error;
    }
  }

  #ensureLogin(): Promise<Login> {
    this.#login ??= this.#logIn().catch((error: unknown) => {
      // A refused PIN stays refused: trying it again would lock the token.
      if (!(error instanceof HsmError) || error.code !== 'pin_rejected') this.#login = undefined;
      throw error;
    });
    return this.#login;
  }

  async #logIn(): Promise<Login> {
    const { cryptoki, findSlot, readPin, readWrite } = this.#options;
    const pin = await readPin();
    const slot = findSlot();
    this.#closeLeftOver();
    // From here on the HSM may give their numbers to new sessions.
    this.#unclosed.length = 0;
    const session = cryptoki.openSession(slot, { readWrite });
    try {
      cryptoki.login(session, pin);
    } catch (error) {
      this.#closeQuietly(session);
      throw error;
    }
    this.#logins += 1;
    return { number: this.#logins, slot, session };
  }

  // Losing one session may mean that all are lost: ask the session that holds the login.
  async #suspectLogin(number: number, error: unknown): Promise<void> {
    if (number !== this.#logins || this.#login === undefined) return;
    if (error instanceof HsmError && error.spoils === 'call') return;
    const login = await this.#login;
    // Another caller may have found the same meanwhile, and the login be a new one.
    if (number !== this.#logins) return;
    const lost = error instanceof HsmError && error.spoils === 'token';
    if (lost || !this.#isAlive(login)) await this.#dropLogin();
  }

  #isAlive(login: Login): boolean {
    try {
      return this.#options.cryptoki.isLoggedIn(login.session);
    } catch (error) {
      if (error instanceof HsmError) return false;
      throw error;
    }
  }

  async #dropLogin(): Promise<void> {
    const login = this.#login;
    this.#login = undefined;
    // Leases still out belong to the old login: the number tells that they must not come back.
    this.#logins += 1;
    for (const { session } of this.#idle.splice(0)) this.#closeQuietly(session);
    this.#closeLeftOver();
    const settled = await Promise.allSettled(login === undefined ? [] : [login]);
    for (const result of settled)
      if (result.status === 'fulfilled') this.#closeQuietly(result.value.session);
  }

  #giveUp(held: { readonly session: Handle; readonly login: number }): void {
    const remember = this.#login === undefined || held.login === this.#logins;
    this.#closeQuietly(held.session, { remember });
  }

  #closeLeftOver(): void {
    for (const session of this.#unclosed.splice(0)) this.#closeQuietly(session);
  }

  // Most faults mean that the HSM has closed the session already; a fault of the device does not.
  #closeQuietly(session: Handle, o = { remember: true }): void {
    try {
      this.#options.cryptoki.closeSession(session);
    } catch (error) {
      if (!(error instanceof HsmError)) throw error;
      const isOpen = error.code === 'device_error' || error.code === 'out_of_resources';
      if (isOpen && o.remember) this.#unclosed.push(session);
    }
  }
}

function closed(): HsmError {
  return new HsmError('closed', 'the token has been closed');
}
