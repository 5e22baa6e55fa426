import "react";

declare module "react" {
  interface InputHTMLAttributes<T> {
    /** The input takes a folder. Every browser has it; React's types do not. */
    webkitdirectory?: string;
  }
}
