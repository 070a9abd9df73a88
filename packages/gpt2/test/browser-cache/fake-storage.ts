import type { BrowserStorage } from "../../src/browser-cache/storage.ts";

/** As much of the origin's private file system and of Web Locks as the cache uses, in memory, with a quota. */
export class FakeStorage implements BrowserStorage {
  quota = 2 ** 40;
  /** False: `estimate` knows nothing. */
  tells = true;
  /** The longest write that is answered with the true reason when the quota is exceeded: what Chromium's pipe holds. */
  static readonly PIPE = 2 ** 21;
  /** How often those who watch were told of a change. */
  told = 0;
  readonly locks = new FakeLocks() as unknown as LockManager;
  readonly tree = new FakeFolder(this, "");
  readonly root = this.tree as unknown as FileSystemDirectoryHandle;

  get usage(): number {
    return this.tree.bytes();
  }

  /** Throws as a browser does where the origin may keep no more. */
  expectRoom(more: number): void {
    if (this.usage + more > this.quota) throw new DOMException("no space", "QuotaExceededError");
  }

  estimate = async (): Promise<StorageEstimate> => (this.tells ? { quota: this.quota, usage: this.usage } : {});

  changes = () => ({ postMessage: () => void this.told++, close: () => undefined });

  /** Paths of all files, and their lengths. */
  files(): Record<string, number> {
    return Object.fromEntries(this.tree.paths());
  }
}

class FakeFolder {
  readonly kind = "directory";
  readonly name: string;
  readonly #storage: FakeStorage;
  readonly #inside = new Map<string, FakeFolder | FakeFile>();

  constructor(storage: FakeStorage, name: string) {
    this.#storage = storage;
    this.name = name;
  }

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<FakeFolder> {
    return this.#get(name, FakeFolder, create);
  }

  async getFileHandle(name: string, { create = false } = {}): Promise<FakeFile> {
    return this.#get(name, FakeFile, create);
  }

  #get<Kind extends FakeFolder | FakeFile>(
    name: string,
    kind: new (storage: FakeStorage, name: string) => Kind,
    create: boolean,
  ): Kind {
    if (/[/\\]/.test(name) || name === "" || name.length > 255) throw new TypeError(`no name: ${name}`);
    const there = this.#inside.get(name);
    if (there === undefined && create) this.#storage.expectRoom(0);
    const found = there ?? (create ? new kind(this.#storage, name) : undefined);
    if (found === undefined) throw new DOMException(name, "NotFoundError");
    if (!(found instanceof kind)) throw new DOMException(name, "TypeMismatchError");
    this.#inside.set(name, found);
    return found;
  }

  async removeEntry(name: string, { recursive = false } = {}): Promise<void> {
    const found = this.#inside.get(name);
    if (found === undefined) throw new DOMException(name, "NotFoundError");
    if (found instanceof FakeFolder && !recursive && found.#inside.size > 0) {
      throw new DOMException(name, "InvalidModificationError");
    }
    this.#inside.delete(name);
  }

  async *entries() {
    yield* [...this.#inside];
  }

  async *keys() {
    yield* [...this.#inside.keys()];
  }

  async *values() {
    yield* [...this.#inside.values()];
  }

  bytes(): number {
    let sum = 0;
    for (const [, length] of this.paths()) sum += length;
    return sum;
  }

  *paths(prefix = ""): Generator<[string, number]> {
    for (const [name, entry] of this.#inside) {
      if (entry instanceof FakeFolder) yield* entry.paths(`${prefix}${name}/`);
      else yield [prefix + name, entry.content.length];
    }
  }
}

class FakeFile {
  readonly kind = "file";
  readonly name: string;
  content = new Uint8Array();
  readonly #storage: FakeStorage;

  constructor(storage: FakeStorage, name: string) {
    this.#storage = storage;
    this.name = name;
  }

  async getFile(): Promise<File> {
    return new File([this.content], this.name);
  }

  async createWritable() {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    return {
      write: async (part: Uint8Array<ArrayBuffer>) => {
        length += part.length;
        try {
          this.#storage.expectRoom(length);
        } catch (error) {
          if (part.length <= FakeStorage.PIPE) throw error;
          throw new DOMException("Failed to write data to data pipe", "AbortError");
        }
        parts.push(part.slice());
      },
      abort: async () => undefined,
      close: async () => {
        const content = new Uint8Array(await new Blob(parts).arrayBuffer());
        this.#storage.expectRoom(content.length - this.content.length);
        this.content = content;
      },
    };
  }
}

type Held = (lock: { name: string } | null) => unknown;

class FakeLocks {
  readonly #holders = new Map<string, { mode: LockMode }[]>();
  readonly #waiting: (() => boolean)[] = [];

  request(name: string, ...rest: [Held] | [LockOptions, Held]): Promise<unknown> {
    const held = rest.at(-1) as Held;
    const {
      mode = "exclusive",
      ifAvailable = false,
      signal,
    }: LockOptions = rest.length > 1 ? (rest[0] as LockOptions) : {};
    return new Promise((resolve, reject) => {
      const attempt = (): boolean => {
        const holders = this.#holders.get(name) ?? [];
        if (holders.some((other) => mode === "exclusive" || other.mode === "exclusive")) return false;
        const holder = { mode };
        this.#holders.set(name, [...holders, holder]);
        Promise.resolve(held({ name }))
          .finally(() => {
            this.#holders.set(
              name,
              this.#holders.get(name)!.filter((other) => other !== holder),
            );
            for (const [i, again] of [...this.#waiting.entries()].reverse()) if (again()) this.#waiting.splice(i, 1);
          })
          .then(resolve, reject);
        return true;
      };
      if (attempt()) return;
      if (ifAvailable) return void Promise.resolve(held(null)).then(resolve, reject);
      this.#waiting.push(attempt);
      signal?.addEventListener("abort", () => {
        const at = this.#waiting.indexOf(attempt);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      });
    });
  }
}
