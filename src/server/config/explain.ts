// For an operator who brings a zoo.cfg along: line by line, what this server makes of it. Nothing but the text is
// looked at, so it works on any machine.

import { parseEnsemble } from './ensemble.js';
import { ConfigError } from './errors.js';
import { findOption } from './options.js';
import { adviceOn, settingsOfFile } from './settings.js';

/** What became of a line. `unknown` is a warning, `error` would stop the start. */
export type Verdict = 'supported' | 'accepted' | 'unsupported' | 'unknown' | 'error';

/** One line of an explanation. */
export interface ExplainedLine {
  readonly line: number;
  readonly key: string;
  /** `<hidden>` for a secret. */
  readonly value: string;
  readonly verdict: Verdict;
  /** One sentence: help, reason, or what is wrong. */
  readonly text: string;
}

/** A name that is misspelt, or means nothing here, may still have a secret behind it. */
const LOOKS_SECRET = /pas+w|secret|digest/i;

/** Explains every property of a configuration file, in its order. Never throws. */
export function explainConfig(text: string): ExplainedLine[] {
  return settingsOfFile(text, 'zoo.cfg').map((setting) => {
    const { key, origin } = setting;
    const line = origin.source === 'file' ? origin.line : 0;
    const known = findOption(key);
    const shown = LOOKS_SECRET.test(key) ? '<hidden>' : setting.value;
    if (known === undefined) return { line, key, value: shown, verdict: 'unknown', text: adviceOn(setting)!.text };
    if (known.kind === 'inert') {
      const advice = adviceOn(setting);
      const verdict = advice === undefined ? 'accepted' : known.option.status;
      const asDefault = 'asks for nothing beyond what is done here';
      return { line, key, value: shown, verdict, text: advice?.text ?? asDefault };
    }
    if (known.kind === 'ensemble')
      return { line, key, value: setting.value, ...explainEnsembleLine(known.name, setting.value) };
    const { option } = known;
    const value = option.secret ? '<hidden>' : setting.value;
    const reading = option.read(setting.value);
    if ('problem' in reading)
      return { line, key, value, verdict: 'error', text: option.secret ? 'cannot be used' : reading.problem };
    return { line, key, value, verdict: option.status, text: adviceOn(setting)?.text ?? option.help };
  });
}

function explainEnsembleLine(name: string, value: string): { verdict: Verdict; text: string } {
  try {
    parseEnsemble([{ name, value, origin: { source: 'flag' } }]);
    return { verdict: 'supported', text: 'A line about the ensemble.' };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { verdict: 'error', text: `${error.problem}; ${error.remedy}` };
  }
}
