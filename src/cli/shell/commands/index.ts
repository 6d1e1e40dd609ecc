// All commands of the shell, in the order in which help lists them. A new one is a file here and a line below.

import type { Command } from '../command.js';
import { addWatch } from './add-watch.js';
import { addauth } from './addauth.js';
import { close } from './close.js';
import { config } from './config.js';
import { connect } from './connect.js';
import { create } from './create.js';
import { deleteCommand } from './delete.js';
import { deleteall } from './deleteall.js';
import { delquota } from './delquota.js';
import { find } from './find.js';
import { get } from './get.js';
import { getAcl } from './get-acl.js';
import { getAllChildrenNumber } from './get-all-children-number.js';
import { getEphemerals } from './get-ephemerals.js';
import { helpFor } from './help.js';
import { history } from './history.js';
import { listquota } from './listquota.js';
import { ls } from './ls.js';
import { printwatches } from './printwatches.js';
import { quit } from './quit.js';
import { redo } from './redo.js';
import { removewatches } from './removewatches.js';
import { set } from './set.js';
import { setAcl } from './set-acl.js';
import { setquota } from './setquota.js';
import { stat } from './stat.js';
import { sync } from './sync.js';
import { tree } from './tree.js';
import { version } from './version.js';
import { whoami } from './whoami.js';

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [
    ls,
    get,
    set,
    create,
    deleteCommand,
    deleteall,
    stat,
    tree,
    find,
    getAcl,
    setAcl,
    addauth,
    whoami,
    addWatch,
    removewatches,
    printwatches,
    setquota,
    listquota,
    delquota,
    sync,
    config,
    getEphemerals,
    getAllChildrenNumber,
    connect,
    close,
    history,
    redo,
    version,
    helpFor(() => COMMANDS),
    quit,
  ].map((command) => [command.name, command]),
);
