import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A part of the page whose code is loaded when it is first shown. */
export function LaterPart({ load }: { readonly load: () => Promise<ComponentType> }) {
  const [part, setPart] = useState<{ readonly Part?: ComponentType; readonly error?: Error }>({});
  useEffect(() => {
    load().then(
      (Part) => setPart({ Part }),
      (error: Error) => setPart({ error }),
    );
  }, [load]);
  const { Part, error } = part;
  if (error)
    return <p class="notice bad">This part of the page could not be loaded: {error.message}. Load the page again.</p>;
  return Part ? <Part /> : <p class="quiet">Opening …</p>;
}
