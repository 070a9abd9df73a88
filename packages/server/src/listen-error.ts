import { OptionError } from "@gpt2-ts/gpt2";
import { showValue } from "@gpt2-ts/tensor/options";

/** Why a server cannot listen there, in terms of the option at fault; other errors as they are. */
export function listenError(error: unknown, host: string, port: number): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return new OptionError("port", `another program listens at ${port} already; 0 takes any port that is free`);
    case "EACCES":
      return new OptionError("port", `this user may not listen at ${port}`);
    case "EADDRNOTAVAIL":
    case "EAI_AGAIN":
    case "EINVAL":
    case "ENOTFOUND":
      return new OptionError("host", `this machine has no address ${showValue(host)}`);
    default:
      return error;
  }
}
