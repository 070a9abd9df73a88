export function lessonNames(): string[];
export function lesson(name: string): { readonly program: string; readonly page: string | undefined };
export function compileLesson(name: string): string;
export function outputOf(name: string): Promise<string>;
export function writtenPage(name: string, page: string, program: string, output: string): string;
export function writtenIndex(): string;
