/** Builds of other revisions of this repository, each made once. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GPT2_MODULE } from "../engines/gpt2-ts-build.ts";
import { runNpm } from "../harness/npm.ts";
import { CACHE, REPOSITORY } from "../paths.ts";

/** A build that can be measured. */
export interface Build {
  /** Its checkout's root. */
  readonly root: string;
  /** The commit's whole name. */
  readonly sha: string;
  /** Whether files differ from the commit's. */
  readonly changed: boolean;
}

/** The commit that a name such as `main`, `v0.1.0` or `HEAD~3` stands for. @throws Error if there is none */
export function commitOf(revision: string): string {
  try {
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`).trim();
  } catch (cause) {
    throw new Error(`there is no revision ${revision} in this repository`, { cause });
  }
}

/** What stands in this working tree, which `npm run bench:against` has built. */
export function thisBuild(): Build {
  const changed = git("status", "--porcelain", "--untracked-files=no").trim() !== "";
  return { root: REPOSITORY, sha: commitOf("HEAD"), changed };
}

/** Builds a revision in a folder of the cache, or finds the build there. @throws Error if it cannot be built */
export function buildOf(revision: string): Build {
  const sha = commitOf(revision);
  const root = join(CACHE, "against", sha);
  const complete = join(root, ".built");
  if (!existsSync(complete)) {
    console.error(`Building ${sha.slice(0, 7)} …`);
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    const archive = join(root, "archive.tar");
    git("archive", "--format=tar", "-o", archive, sha);
    execFileSync("tar", ["-xf", archive], { cwd: root });
    rmSync(archive);
    runNpm(root, "ci", "--no-audit", "--no-fund", "--loglevel=error");
    runNpm(root, "run", "--silent", "build");
    if (!existsSync(join(root, GPT2_MODULE))) throw new Error(`${revision} does not build ${GPT2_MODULE}`);
    writeFileSync(complete, "");
  }
  return { root, sha, changed: false };
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: REPOSITORY, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
