// Running a server from a program: what `zabra server` does, as a function.

export { ConfigError, type ConfigWarning, formatWarning, loadConfig, type ServerConfig } from './config/index.js';
export { createLogger, type Logger, type LoggerOptions } from './logging.js';
export { makeCredential } from './sasl/verifiers.js';
export { type RunningServer, startServer } from './server.js';
export { StorageError } from './storage/index.js';
export { type Verification, verifyDirectory } from './verification.js';
export { packageVersion } from './version.js';
