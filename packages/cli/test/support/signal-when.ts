import type { ChildProcess } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Sends a command one signal as soon as `ready` says so, or none if it ends before. Only one: commands take a second one for the wish to
 * end at once.
 */
export function signalWhen(child: ChildProcess, signal: NodeJS.Signals, ready: () => Promise<boolean>): void {
  const look = async (): Promise<void> => {
    while (child.exitCode === null && child.signalCode === null) {
      if (await ready()) {
        child.kill(signal);
        return;
      }
      await wait(1);
    }
  };
  void look();
}
