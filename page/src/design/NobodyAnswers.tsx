import { useEffect, useState } from "react";
import { useConnected } from "../api/events.ts";

const PATIENCE_MS = 2000; // a stream that is taken up again at once is nothing to tell

/** Told plainly, on every page, as long as the server is gone. */
export function NobodyAnswers() {
  const connected = useConnected();
  const [told, setTold] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTold(!connected), connected ? 0 : PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [connected]);
  if (!told) return null;
  return (
    <p className="alert nobody-answers" role="alert">
      Resonate does not answer. Your tracks are safe: they lie in its folder, and all that was made of them. What you see is
      how it was last. This page goes on by itself as soon as Resonate runs again (<code>resonate studio</code> or{" "}
      <code>make dev</code>).
    </p>
  );
}
