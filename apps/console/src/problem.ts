/** Why something cannot be shown or done, in the API's own words (RFC 9457). */
export interface Problem {
  readonly title: string;
  /** 0 where there was no answer at all. */
  readonly status: number;
  readonly code: string | number;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  /** When to come again, in seconds, where the answer says so. */
  readonly retryAfter?: number;
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** What an answer that is no success says. Proxies in between answer in formats of their own. */
export async function readProblem(response: Response): Promise<Problem> {
  const { status, headers } = response;
  const isProblem = headers.get('content-type')?.includes('application/problem+json');
  const told = isProblem ? ((await response.json()) as Problem) : null;
  const retryAfter = Number(headers.get('retry-after')) || undefined;
  const title = told?.title ?? `The server answered ${status} ${response.statusText}`.trim();
  return { code: `HTTP_${status}`, ...told, title, status, ...(retryAfter !== undefined && { retryAfter }) };
}

/** What became of a request that got no answer that can be read. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
  const title = isTimeout ? 'The server did not answer in time' : 'The server cannot be reached';
  const detail = 'Check your network, and whether the service is running.';
  return { title, detail, status: 0, code: 'UNREACHABLE' };
}
