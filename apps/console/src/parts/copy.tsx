import { useRef } from 'preact/hooks';
import { outcome } from './outcome.js';

/** An address to give away. Where the page may not use the clipboard, it is selected to be copied by hand. */
export function Copy({ address, label }: { address: string; label: string }) {
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current!.select();
    try {
      await navigator.clipboard.writeText(address);
      outcome.set({ text: `Copied: ${label}`, tone: 'good' });
    } catch {
      outcome.set({ text: 'It is selected: copy it with Ctrl+C or ⌘C', tone: 'good' });
    }
  };
  return (
    <span class="copy">
      <input ref={field} readOnly value={address} aria-label={label} />
      <button type="button" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
        Copy
      </button>
    </span>
  );
}
