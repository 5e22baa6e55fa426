import { Suspense, useLayoutEffect } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useServerEvents } from "./api/events.ts";
import { Announcements } from "./design/announce.tsx";
import { NobodyAnswers } from "./design/NobodyAnswers.tsx";
import { Header } from "./design/Header.tsx";
import { LibraryPage, TrackPage } from "./pages.tsx";

export function App() {
  useServerEvents();
  const [path] = useLocation();
  useLayoutEffect(() => {
    if (path !== "/") scrollTo(0, 0); // the library goes back to where it was by itself
  }, [path]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <main id="main" tabIndex={-1}>
        <NobodyAnswers />
        <Suspense fallback={<p className="waiting">Opening…</p>}>
          <Switch>
            <Route path="/">
              <LibraryPage />
            </Route>
            <Route path="/tracks/:track">{({ track }) => <TrackPage key={track} track={track} />}</Route>
            <Route>
              <section className="empty">
                <h1>There is nothing here</h1>
                <p>
                  <Link href="/">To the library</Link>
                </p>
              </section>
            </Route>
          </Switch>
        </Suspense>
      </main>
      <Announcements />
    </>
  );
}
