/** Runs before everything else, so it keeps to what old versions of Node understand. */

const needed = [20, 19];

/** Ends the process with one clear line if this Node is too old. */
export function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return;
  console.error(
    `signfleet needs Node ${needed.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).`,
  );
  process.exit(1);
}
