import { $ } from './dom.js';

/** Calls a control; says on the page what went wrong. */
export async function control(path, body) {
  const options = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(`/sandbox/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export function say(message) {
  const line = $('message');
  line.textContent = message;
  line.hidden = message === '';
}

/** Does something, says what came of it, and lets the page show the new state. */
export async function act(path, body, done = '') {
  try {
    const answer = control(path, body);
    document.dispatchEvent(new Event('changed'));
    await answer;
    say(done);
  } catch (error) {
    say(error.message);
  }
  document.dispatchEvent(new Event('changed'));
}
