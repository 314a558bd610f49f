import { ProblemError, problemOf, readProblem } from './problem.js';
import { leave, session } from './session.js';

/** Longer than the API takes over its slowest action. */
const TIMEOUT_MS = 60_000;
/** Browsers may read what is saved long after the click. */
const READ_WITHIN_MS = 60_000;

/** Asks for JSON under `/admin/wechat/`. @throws ProblemError for everything else than a good answer */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(path, init);
  return (await response.json().catch((error: unknown) => fail(error))) as T;
}

/** Has something done. @throws ProblemError */
export function act<T>(path: string, body?: object): Promise<T> {
  const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return ask<T>(path, { method: 'POST', ...json });
}

/** Saves a file of the API, under the name the API gives it. @throws ProblemError */
export async function download(path: string): Promise<string> {
  const response = await send(path, {}, null);
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'download';
  const address = URL.createObjectURL(await response.blob().catch((error: unknown) => fail(error)));
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), READ_WITHIN_MS);
  return name;
}

async function send(path: string, init: RequestInit, timeoutMs: number | null = TIMEOUT_MS): Promise<Response> {
  const { key } = session.get();
  const headers = { ...init.headers, authorization: `Bearer ${key}` };
  const signals = [init.signal, timeoutMs && AbortSignal.timeout(timeoutMs)].filter((signal) => !!signal);
  const signal = AbortSignal.any(signals);
  const response = await fetch(`/admin/wechat/${path}`, { ...init, headers, signal, cache: 'no-store' }).catch(
    (error: unknown) => fail(error),
  );
  if (response.ok) return response;
  const problem = await readProblem(response).catch((error: unknown) => fail(error));
  if (problem.status === 401 && key === session.get().key) leave(problem);
  throw new ProblemError(problem);
}

function fail(error: unknown): never {
  throw new ProblemError(problemOf(error));
}
