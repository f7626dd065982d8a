/**
 * The whole environment of everything a test starts: of the caller's, PATH alone is passed on, so that no GIT_*,
 * CLAUDE*, SIGNALBOX* or NODE_* of whoever runs the tests reaches them.
 */
export function cleanEnv(dir: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: `${dir}/home`,
    XDG_CONFIG_HOME: `${dir}/home/.config`,
    TMPDIR: `${dir}/tmp`,
    TZ: "UTC",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_EDITOR: "true",
    GIT_AUTHOR_NAME: "Test",
    GIT_AUTHOR_EMAIL: "test@example.com",
    GIT_COMMITTER_NAME: "Test",
    GIT_COMMITTER_EMAIL: "test@example.com",
  };
}
