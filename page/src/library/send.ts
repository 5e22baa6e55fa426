/** One file to POST /api/v1/jobs. By XMLHttpRequest, which alone tells how far an upload is. */
import { detailOf } from "../api/client.ts";
import type { JobAccepted } from "../api/schema.ts";
import type { Send } from "./uploads.ts";

export const sendFile: Send = (file, brief, onProgress, stop) =>
  new Promise<JobAccepted>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    // The brief first: the server knows it before the file has come.
    if (brief !== null) form.append("brief", brief);
    form.append("file", file, file.name);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(request.response as JobAccepted);
      else reject(new Error(detailOf(request.response, request.status)));
    });
    request.addEventListener("error", () =>
      // Also what a browser reports where the server refused and hung up while the file was still being sent.
      reject(new Error("The connection broke before the file was there. Try again.")),
    );
    request.addEventListener("abort", () => reject(new Error("Stopped.")));
    stop.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", "/api/v1/jobs");
    request.send(form);
  });
