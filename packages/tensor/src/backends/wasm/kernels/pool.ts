// The job queue of one: a job is published by writing its arguments, then its number and chunk count into STATE in one
// atomic store. Threads claim a chunk by a compare-and-swap on STATE. Because the job's number is in the same word, a
// thread that slept through a job can never claim with what it remembers of it; and because a claimed chunk keeps its job
// from finishing, arguments read after the claim belong to that chunk's job.
import { CHUNKS, DONE, FAILED, JOB, QUIT, SLEEPERS, STATE } from "../abi";
import { int } from "./control";
import { runChunk } from "./jobSwitch";

const UNCLAIMED: i64 = 0xffffffff;

/** Claims and runs chunks until the job has none left to claim. */
function work(): void {
  while (true) {
    const state = atomic.load<i64>(STATE);
    if ((state & UNCLAIMED) == 0) return;
    if (atomic.cmpxchg<i64>(STATE, state, state - 1) != state) continue;
    const chunks = load<i32>(CHUNKS);
    runChunk(load<i32>(JOB), chunks - <i32>(state & UNCLAIMED));
    if (atomic.add<i32>(DONE, 1) + 1 == chunks) atomic.notify(DONE, 1);
  }
}

/** Runs a whole job on the calling thread; workers never see it. */
export function runAlone(job: i32, chunks: i32): void {
  store<i32>(CHUNKS, chunks);
  for (let chunk = 0; chunk < chunks; chunk++) runChunk(job, chunk);
}

/**
 * Runs a job together with the workers. Returns 1 when it is finished; 0 when chunks that workers claimed were not
 * finished after `spins` looks, or when a worker failed: then the caller waits in its own way.
 */
export function runShared(job: i32, chunks: i32, spins: i32): i32 {
  store<i32>(JOB, job);
  store<i32>(CHUNKS, chunks);
  atomic.store<i32>(DONE, 0);
  const number = ((atomic.load<i64>(STATE) >> 32) + 1) << 32;
  atomic.store<i64>(STATE, number | <i64>chunks);
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(STATE + 4, -1);
  work();
  for (let spin = 0; spin < spins; spin++) {
    if (atomic.load<i32>(DONE) == chunks) return 1;
  }
  return 0;
}

/** A worker's life: work, spin for the next job, sleep when none comes. Returns when the pool is shut down. */
export function serve(spins: i32): void {
  onWorker = 1;
  while (atomic.load<i32>(QUIT) == 0) {
    work();
    const idle = atomic.load<i64>(STATE);
    if ((idle & UNCLAIMED) != 0) continue;
    let spin = 0;
    while (spin < spins && atomic.load<i64>(STATE) == idle) spin++;
    if (spin < spins) continue;
    atomic.add<i32>(SLEEPERS, 1);
    if (atomic.load<i32>(QUIT) == 0) atomic.wait<i32>(STATE + 4, <i32>(idle >> 32), -1);
    atomic.sub<i32>(SLEEPERS, 1);
  }
}

/** Makes every worker return from {@link serve}. */
export function shutDown(): void {
  atomic.store<i32>(QUIT, 1);
  atomic.store<i64>(STATE, ((atomic.load<i64>(STATE) >> 32) + 1) << 32);
  atomic.notify(STATE + 4, -1);
}

/** 1 in a worker's instance: the one thing that is not shared. */
let onWorker: i32 = 0;

/**
 * The faults that tests inject (int 0): 1 traps on a worker, 2 never returns on a worker, 3 traps on the calling thread,
 * whose chunks wait for a worker to take the bait, though not forever.
 */
export function faultJob(chunk: i32): void {
  const fault = int(0);
  if (fault == (onWorker ? 1 : 3)) unreachable();
  if (onWorker) {
    while (fault == 2) atomic.load<i32>(STATE);
    return;
  }
  for (let look = 0; look < 2_000_000_000; look++) {
    if (fault == 1 && atomic.load<i32>(FAILED) == 0) continue;
    if (fault == 2 && (atomic.load<i64>(STATE) & UNCLAIMED) != 0) continue;
    break;
  }
}
