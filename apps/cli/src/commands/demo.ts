import { Command } from 'commander';
import type { DemoCommandOptions } from '../demo/demo.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .description('start a whole signfleet on this machine and sign PDFs with three users’ keys')
    .argument('[paths...]', 'files and folders; default: the samples in examples/')
    .option('--exit', 'stop everything when the table is printed', false)
    .option('--reset', 'throw away the data of earlier runs', false)
    .option('--out <folder>', 'where the signed PDFs go', 'out')
    .action(async (paths: string[], options: DemoCommandOptions) => {
      // Loaded on demand: the other commands need neither PKCS#11 nor the local services.
      const { demo } = await import('../demo/demo.ts');
      await demo(paths, options);
    });
}
