import { problemOf, readProblem } from './problem.js';

describe('a problem', () => {
  it('is told in the words of the API, and when to come again', async () => {
    const told = { type: 'about:blank', title: 'Too many requests', status: 429, code: 'TOO_MANY_REQUESTS' };
    const headers = { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': '7' };
    const problem = await readProblem(new Response(JSON.stringify(told), { status: 429, headers }));
    expect(problem).toEqual({ ...told, retryAfter: 7 });
  });

  it('of a proxy is its status', async () => {
    const response = new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
    expect(await readProblem(response)).toEqual({
      title: 'The server answered 502 Bad Gateway',
      status: 502,
      code: 'HTTP_502',
    });
  });

  it('of the network says that nobody answers', () => {
    expect(problemOf(new TypeError('Failed to fetch'))).toMatchObject({
      title: 'The server cannot be reached',
      status: 0,
    });
    expect(problemOf(new DOMException('', 'TimeoutError')).title).toBe('The server did not answer in time');
  });
});
