import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = process.env["RESONATE_STUDIO"] ?? "http://127.0.0.1:3100";

export default defineConfig({
  plugins: [react()],
  base: "/",
  build: {
    outDir: "../resonate_studio/api/page",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // nothing as data: in the page, so that its content policy can be strict
    modulePreload: { polyfill: false }, // the polyfill is for browsers older than the target
  },
  server: {
    host: "127.0.0.1",
    // The server compares Origin with Host: both name the page's own address in development.
    proxy: { "/api": { target: SERVER, changeOrigin: true, headers: { Origin: SERVER } } },
  },
});
