/**
 * Executes a jq query and returns both stdout, stderr, and the exit code.
 *
 * @param json - The input JSON (string or object).
 * @param query - The jq query string.
 * @param flags - Optional jq flags (e.g., ["-r", "-c"]).
 * @returns A promise resolving to { stdout, stderr, exitCode }.
 * @throws {TypeError} If input types are invalid.
 */
export declare function raw(json: string | object, query: string, flags?: string[]): Promise<{
    stdout: string;
    stderr: string;
    exitCode: number;
}>;
/**
 * Executes a jq query and returns the parsed JSON result.
 * Throws if jq produces any stderr output.
 *
 * @param json - The input JSON.
 * @param query - The jq query.
 * @param flags - Optional jq flags.
 * @returns Parsed JSON or an array of parsed results.
 * @throws If stderr is non-empty or JSON parsing fails.
 */
export declare function json(json: string | object, query: string, flags?: string[]): Promise<object | object[] | null>;
/**
 * Retrieves the underlying jq version string.
 *
 * @returns A promise that resolves to the jq version string.
 */
export declare function version(): Promise<string>;
