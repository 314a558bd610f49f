import { type ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Problem, problemOf } from '../problem.js';
import { session } from '../session.js';
import { outcome } from './outcome.js';
import { Trouble } from './trouble.js';

interface ActProps<T> {
  /** On the button: what is done. */
  readonly label: string;
  /** The same, where the label alone does not say to what. */
  readonly name?: string;
  readonly question: ComponentChildren;
  readonly run: () => Promise<T>;
  /** What came of it. */
  readonly tell: (answer: T) => string;
  readonly onDone?: (answer: T) => void;
  readonly isMain?: boolean;
  /** What is asked besides: fields. */
  readonly children?: ComponentChildren;
}

const NOT_YOURS = 'This needs an operator’s key. Yours is a viewer’s: it reads.';

/** Something that changes something: asks first, says what came of it, and is not for viewers. */
export function Act<T>(props: ActProps<T>) {
  const [isOpen, setOpen] = useState(false);
  const isAllowed = session.use().caller?.role === 'operator';
  const why = useId();
  return (
    <>
      <button
        type="button"
        class={props.isMain ? 'main' : undefined}
        aria-label={props.name}
        aria-disabled={!isAllowed}
        aria-describedby={isAllowed ? undefined : why}
        title={isAllowed ? undefined : NOT_YOURS}
        onClick={() => setOpen(isAllowed)}
      >
        {props.label}
      </button>
      {!isAllowed && (
        <span id={why} class="hidden">
          {NOT_YOURS}
        </span>
      )}
      {isOpen && <Confirm {...props} close={() => setOpen(false)} />}
    </>
  );
}

/** Stays until it is done or given up; a problem is told where the question was asked, if it still is. */
function Confirm<T>(props: ActProps<T> & { close: () => void }) {
  const { label, name = label, question, run, tell, onDone, children, close } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const title = useId();
  useEffect(() => dialog.current!.showModal(), []);

  const confirm = (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    outcome.set(null);
    run().then(
      (answer) => {
        dialog.current?.close();
        outcome.set({ text: tell(answer), tone: 'good' });
        onDone?.(answer);
      },
      (error: unknown) => {
        const found = problemOf(error);
        if (!dialog.current?.open) return outcome.set({ text: `${name}: ${found.title}`, tone: 'bad' });
        setBusy(false);
        setProblem(found);
      },
    );
  };

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby={title}>
      <form onSubmit={confirm}>
        <h2 id={title}>{label}</h2>
        <p>{question}</p>
        {children}
        {problem && <Trouble problem={problem} />}
        <div class="buttons">
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? 'Under way…' : label}
          </button>
          <button type="button" onClick={() => dialog.current!.close()}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
