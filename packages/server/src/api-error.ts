/** The kinds of errors that OpenAI's clients tell apart. */
export type ApiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "server_error";

export interface ApiErrorDetails {
  readonly status: number;
  readonly type: ApiErrorType;
  /** The parameter at fault. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  /** Seconds after which another try may do better. */
  readonly retryAfter?: number | undefined;
}

/** An answer that is an error. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly details: ApiErrorDetails;
  constructor(message: string, details: ApiErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }

  /** As OpenAI's interface has it. */
  get body(): object {
    const { type, param = null, code = null } = this.details;
    return { error: { message: this.message, type, param, code } };
  }
}

/** A request that cannot be carried out as it stands. */
export function badRequest(message: string, param?: string, code?: string): ApiError {
  return new ApiError(message, { status: 400, type: "invalid_request_error", param, code });
}

/** It cannot be carried out now. */
export function unavailable(message: string, code: string, retryAfter: number): ApiError {
  return new ApiError(message, { status: 503, type: "server_error", code, retryAfter });
}
