export interface ReadmeExample {
  /** `file:line`. */
  readonly where: string;
  readonly language: "js" | "ts";
  readonly code: string;
  readonly runs: boolean;
  /** The lines it says it prints. */
  readonly prints: readonly string[];
}

export function readmeExamples(file: string, name: string): ReadmeExample[];
