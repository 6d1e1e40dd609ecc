import { defineCommand, optionalOperand } from '../command.js';
import { UsageError } from '../errors.js';

export const printwatches = defineCommand({
  name: 'printwatches',
  summary: 'Says whether events of watches are printed, or changes it.',
  flags: {},
  operands: { state: optionalOperand('on or off') },
  examples: ['printwatches', 'printwatches off'],
  async run({ settings }, _, { state }) {
    if (state === undefined) {
      const now = settings.printsWatches ? 'on' : 'off';
      return { lines: [`printwatches is ${now}`], json: { printwatches: now } };
    }
    if (state !== 'on' && state !== 'off') throw new UsageError(`the state is on or off, not ${state}`);
    settings.printsWatches = state === 'on';
    return { lines: [], json: { printwatches: state } };
  },
});
