import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli, type CliRun } from './run-cli.ts';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const minutes = 60_000;

describe('the demo', () => {
  let cwd: string;
  let first: CliRun;

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'signfleet-demo-'));
    await cp(examples, join(cwd, 'documents'), { recursive: true });
    await rm(join(cwd, 'documents', 'README.md'));
    await writeFile(join(cwd, 'documents', 'notes.txt'), 'This is no PDF.\n');
    first = await runCli(['demo', 'documents', '--exit'], { cwd });
  }, 3 * minutes);

  afterAll(() => rm(cwd, { recursive: true }));

  test('signs what can be signed and gives the rest a row with its reason', async () => {
    expect(first.stderr).not.toContain('signfleet:');
    expect(first.code).toBe(0);
    const files = await readdir(join(cwd, 'documents'), { recursive: true });
    const sound = files.filter((file) => file.endsWith('.pdf') && !file.startsWith('refused'));
    const refused = files.filter((file) => file.startsWith('refused/') || file === 'notes.txt');
    expect(sound.length).toBeGreaterThanOrEqual(3);
    expect(refused.length).toBeGreaterThanOrEqual(3);
    expect(first.stdout).toContain(`${sound.length} signed, ${refused.length} refused`);
    expect(row('notes.txt')).toMatch(/not a PDF/i);
    expect(first.stdout).toMatch(/encrypted/i);
    for (const algorithm of ['RSA-3072', 'P-256', 'P-384']) {
      expect(first.stdout).toContain(algorithm);
    }
  });

  test('every result is accepted by pdfsig and is the original plus an update', async () => {
    const results = (await readdir(join(cwd, 'out'), { recursive: true })).filter((file) =>
      file.endsWith('.signed.pdf'),
    );
    expect(results.length).toBeGreaterThanOrEqual(3);
    for (const file of results) {
      const path = join(cwd, 'out', file);
      const verdict = execFileSync('pdfsig', ['-nocert', path], { encoding: 'utf8' });
      expect(verdict).toContain('Signature is Valid.');
      expect(verdict).toContain('Total document signed');
      const original = join(cwd, 'documents', file.replace('.signed.pdf', '.pdf'));
      const source = await readFile(original);
      expect((await readFile(path)).subarray(0, source.length).equals(source)).toBe(true);
    }
  });

  test('leaves no process behind', () => {
    expect(processesOf(cwd)).toEqual([]);
  });

  test(
    'a second run reuses keys and data',
    async () => {
      const report = () =>
        readFile(join(cwd, '.signfleet', 'hsm', 'ceremony', 'ceremony-report.json'), 'utf8');
      const earlier = await report();
      const [document] = (await readdir(examples)).filter((file) => file.endsWith('.pdf'));
      const path = join('documents', document ?? '');
      const run = await runCli(['demo', path, '--exit', '--out', 'again'], { cwd });
      expect(run.stderr).not.toContain('signfleet:');
      expect(run.code).toBe(0);
      expect(run.stdout).toContain('3 signed, 0 refused');
      expect(await report()).toBe(earlier);
    },
    3 * minutes,
  );

  test(
    '--reset starts over with new keys',
    async () => {
      const ceremony = join(cwd, '.signfleet', 'hsm', 'ceremony');
      const earlier = await readFile(join(ceremony, 'ca-certificate.pem'), 'utf8');
      const run = await runCli(['demo', 'documents/invoice.pdf', '--exit', '--reset'], { cwd });
      expect(run.code).toBe(0);
      expect(await readFile(join(ceremony, 'ca-certificate.pem'), 'utf8')).not.toBe(earlier);
    },
    3 * minutes,
  );

  test('when a part cannot start, the others are stopped and it says which', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'signfleet-broken-'));
    await mkdir(join(broken, '.signfleet'));
    await writeFile(join(broken, '.signfleet', 'provisioner'), 'in the way');
    const run = await runCli(['demo', join(examples, 'invoice.pdf'), '--exit'], { cwd: broken });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('provisioner');
    expect(processesOf(broken)).toEqual([]);
    await rm(broken, { recursive: true });
  });

  function processesOf(folder: string): string[] {
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    return processes.split('\n').filter((line) => line.includes(folder));
  }

  function row(name: string): string {
    return first.stdout.split('\n').find((line) => line.startsWith(name)) ?? '';
  }
});
