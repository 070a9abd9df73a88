/** Work that is done, or under way. */
interface Task<Result> {
  readonly settled: Promise<void>;
  outcome?: { readonly result: Result } | { readonly error: unknown };
}

/** Finished results that wait for one before them, for each worker: a slow one holds up the others no sooner. */
const WAITING_PER_WORKER = 4;

/**
 * Hands items to workers as these become free, one at a time to each, and yields the results in the items' order. It reads as
 * far ahead as there are workers to give items to. If the items end in an error, it is thrown after the results of those before.
 */
export async function* inOrder<Item, Worker, Result>(
  items: AsyncIterable<Item>,
  workers: readonly Worker[],
  work: (worker: Worker, item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const iterator = items[Symbol.asyncIterator]();
  const idle = [...workers];
  const tasks: Task<Result>[] = []; // in the order of the items
  let reading: Task<IteratorResult<Item>> | undefined;
  let ended: { readonly error?: unknown } | undefined;
  while (ended === undefined || tasks.length > 0) {
    const first = tasks[0]?.outcome;
    if (first) {
      tasks.shift();
      if ("error" in first) throw first.error;
      yield first.result;
      continue;
    }
    const takes = ended === undefined && idle.length > 0 && tasks.length < WAITING_PER_WORKER * workers.length;
    if (takes) reading ??= task(iterator.next());
    await Promise.race(
      [...tasks.filter(({ outcome }) => !outcome), ...(reading ? [reading] : [])].map((t) => t.settled),
    );
    const read = reading?.outcome;
    if (read === undefined) continue;
    reading = undefined;
    if ("error" in read) ended = { error: read.error };
    else if (read.result.done) ended = {};
    else {
      const worker = idle.pop()!;
      tasks.push(task(work(worker, read.result.value).finally(() => idle.push(worker))));
    }
  }
  if ("error" in ended) throw ended.error;
}

function task<Result>(promise: Promise<Result>): Task<Result> {
  const made: Task<Result> = {
    settled: promise.then(
      (result) => {
        made.outcome = { result };
      },
      (error: unknown) => {
        made.outcome = { error };
      },
    ),
  };
  return made;
}
