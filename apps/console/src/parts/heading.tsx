import { type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** What the view is about: its heading, which is where reading begins after a change of place, and the name of the tab. */
export function Heading({ children, alarm }: { children: ComponentChildren; alarm?: string | undefined }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const words = [alarm, heading.current!.textContent, 'WeChat authorization'];
    document.title = words.filter(Boolean).join(' · ');
  });
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
