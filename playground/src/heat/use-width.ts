import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

/** The width of an element's content, in whole pixels; 0 until it is known. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measured = element.current!;
    setWidth(measured.clientWidth);
    let frame = 0;
    const observer = new ResizeObserver(() => {
      // In the next frame: browsers complain about layouts that change while they are observed.
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setWidth(measured.clientWidth));
    });
    observer.observe(measured);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
  }, []);
  return width;
}
