// Configuration, as the rest of the server sees it.

export {
  type Ensemble,
  formatEnsemble,
  formatServer,
  type HostPort,
  type PeerAddress,
  parseEnsemble,
  type ServerSpec,
} from './ensemble.js';
export { ConfigError, type ConfigWarning, formatWarning, type Origin } from './errors.js';
export { type ExplainedLine, explainConfig, type Verdict } from './explain.js';
export { type LoadRequest, loadConfig } from './load.js';
export { type FlagDescription, flagDescriptions } from './options.js';
export { checkSecret, requiredSchemes } from './protection.js';
export { type ConfigurationFacts, configurationLines, redactedConfig } from './render.js';
export type { ServerConfig } from './server-config.js';
export type { Flags } from './settings.js';
