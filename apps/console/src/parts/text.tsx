import { type ComponentChildren } from 'preact';
import { type Tone } from '../words.js';

/** Text of others: shown as it is, and kept from turning around or widening what stands beside it. */
export function Text({ of }: { of: string | null | undefined }) {
  return of ? <bdi class="text">{of}</bdi> : <span class="nothing">–</span>;
}

/** An identifier. */
export function Code({ of }: { of: string | null | undefined }) {
  return of ? <bdi class="code">{of}</bdi> : <span class="nothing">–</span>;
}

/** A word with a colour of its own. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** What an error said; long ones open. */
export function Fault({ of }: { of: string | null }) {
  return of ? <bdi class="fault">{of}</bdi> : null;
}

/** Leads out of the console, to what others wrote as an address: only where it is one for browsers. */
export function Elsewhere({ to, children }: { to: string | null; children: string }) {
  if (!to || !/^https?:\/\//i.test(to)) return <Text of={to} />;
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children} <span aria-hidden="true">↗</span>
    </a>
  );
}
