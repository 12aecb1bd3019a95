/** Where a worker waits until the test lets it go on. */
export function gate(): { reached: Promise<void>; open: () => void; pass: () => Promise<void> } {
  let arrive = (): void => undefined;
  let open = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  const pass = (): Promise<void> => {
    arrive();
    return opened;
  };
  return { reached, open, pass };
}
