import { useEffect, useRef, useState } from 'preact/hooks';
import { type Caller } from '../answers.js';
import { ask } from '../api.js';
import { Trouble } from '../parts/trouble.js';
import { problemOf } from '../problem.js';
import { enterKey, leave, session } from '../session.js';

/** Asks for the key, and asks the API whose it is. */
export function KeyEntry() {
  const { key, problem } = session.use();
  const [typed, setTyped] = useState(key ?? '');
  const [round, setRound] = useState(0);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = 'Key · WeChat authorization';
    if (key === null) return field.current?.focus();
    const given = new AbortController();
    ask<Caller>('caller', { signal: given.signal }).then(
      (caller) => session.set({ key, caller, problem: null }),
      (error: unknown) => {
        const found = problemOf(error);
        if (given.signal.aborted || session.get().key === null) return;
        if (found.status === 403) leave(found);
        else session.set({ key, caller: null, problem: found });
      },
    );
    return () => given.abort();
  }, [key, round]);

  const submit = (event: Event) => {
    event.preventDefault();
    enterKey(typed.trim());
    setRound(round + 1);
  };

  if (key !== null && problem === null)
    return (
      <main class="entry">
        <p class="loading">Asking whose key this is…</p>
      </main>
    );
  return (
    <main class="entry">
      <form class="card" onSubmit={submit}>
        <img src="/console/icon.svg" alt="" width="40" height="40" />
        <h1>WeChat authorization</h1>
        <p>Paste a key of the role viewer or operator. It is kept in this tab only, and gone when you close it.</p>
        <label>
          <span>Key</span>
          <input
            ref={field}
            type="password"
            required
            pattern="\s*[!-~]+\s*"
            title="Letters, digits and signs, without spaces between them"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {problem && <Trouble problem={problem} />}
        <button type="submit" class="main">
          Enter
        </button>
      </form>
    </main>
  );
}
