/** What is wider than its place scrolls sideways, and fades out where there is more of it. */
import { type HTMLAttributes, useCallback, useEffect, useRef } from "react";

const LEFT = 2; // pixels that are no more worth a scroll

export function SideScroll({ className, children, ...rest }: HTMLAttributes<HTMLDivElement>) {
  const box = useRef<HTMLDivElement>(null);
  const look = useCallback(() => {
    const place = box.current;
    if (place === null) return;
    place.toggleAttribute("data-before", place.scrollLeft > LEFT);
    place.toggleAttribute("data-after", place.scrollWidth - place.clientWidth - place.scrollLeft > LEFT);
  }, []);
  useEffect(look); // what is in it may have changed
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, [look]);
  return (
    <div {...rest} ref={box} className={`side-scroll ${className ?? ""}`} onScroll={look}>
      {children}
    </div>
  );
}
