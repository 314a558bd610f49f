import { type Problem } from '../problem.js';
import { count } from '../words.js';

/** A problem in its own words, and the way to try again where that may help. */
export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  const { title, detail, errors = [], status, code, retryAfter } = problem;
  return (
    <div class="trouble" role="alert">
      <p class="trouble-title">
        <bdi>{title}</bdi>
      </p>
      {errors.length > 0 ? (
        <ul>
          {errors.map(({ field, message }) => (
            <li key={field}>
              <bdi class="code">{field}</bdi> <bdi>{message}</bdi>
            </li>
          ))}
        </ul>
      ) : (
        detail && (
          <p>
            <bdi>{detail}</bdi>
          </p>
        )
      )}
      <p class="faint">
        {status === 0 ? 'No answer' : `${status} · ${code}`}
        {retryAfter !== undefined && ` · come again in ${count(retryAfter, 'second')}`}
      </p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
