import { defineCommand, optionalOperand } from '../command.js';

export const printwatches = defineCommand({
  name: 'printwatches',
  summary: 'Says whether events of watches are printed, or changes it.',
  flags: {},
  operands: { state: optionalOperand('the new state', ['on', 'off']) },
  examples: ['printwatches', 'printwatches off'],
  async run({ settings }, _, { state }) {
    if (state === undefined) {
      const now = settings.printsWatches ? 'on' : 'off';
      return { lines: [`printwatches is ${now}`], json: { printwatches: now } };
    }
    settings.printsWatches = state === 'on';
    return { lines: [], json: { printwatches: state } };
  },
});
