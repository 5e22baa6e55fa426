import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { ProblemError } from "./api/client.ts";
import "./design/tokens.css";
import "./design/base.css";
import "./design/controls.css";
import { firstPage } from "./pages.tsx";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000, // events tell of what changes; this only spares the same question twice
      refetchOnWindowFocus: false,
      retry: (failures, thrown) => !(thrown instanceof ProblemError) && failures < 3,
    },
  },
});

await firstPage(queries);

const place = document.getElementById("page");
if (place === null) throw new Error("index.html has no #page");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
