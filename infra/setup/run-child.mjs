import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs a program to its end in the repository's top folder, on this terminal, handing on signals.
 * Resolves with its exit code: 128 + signal number if a signal ended it.
 */
export function runChild(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    // Ctrl-C at a terminal reaches the child by itself: sending it again would count as a second one.
    const fromTerminal = process.stdin.isTTY === true;
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
      const handler = () => {
        if (signal !== 'SIGINT' || !fromTerminal) child.kill(signal);
      };
      process.on(signal, handler);
      return () => process.off(signal, handler);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const off of handlers) off();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** Runs a program whose output matters only if it fails; then that is printed. Returns the exit code. */
export function runQuietly(command, args, env = {}) {
  const options = { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8' };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (error !== undefined) throw error;
  if (status !== 0) process.stderr.write(stdout + stderr);
  return status ?? 1;
}

/** Whether a program answers at all: it is on the PATH and can be run. */
export function hasProgram(name, args = ['--version']) {
  const { error } = spawnSync(name, args, { stdio: 'ignore', timeout: 30_000 });
  return error === undefined || error.code !== 'ENOENT';
}
