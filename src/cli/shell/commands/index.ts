// All commands of the shell, in the order in which help lists them. A new one is a file here and a line below.

import type { Command } from '../command.js';
import { addauth } from './addauth.js';
import { close } from './close.js';
import { connect } from './connect.js';
import { create } from './create.js';
import { deleteCommand } from './delete.js';
import { deleteall } from './deleteall.js';
import { get } from './get.js';
import { getAcl } from './get-acl.js';
import { getAllChildrenNumber } from './get-all-children-number.js';
import { getEphemerals } from './get-ephemerals.js';
import { helpFor } from './help.js';
import { history } from './history.js';
import { ls } from './ls.js';
import { quit } from './quit.js';
import { set } from './set.js';
import { setAcl } from './set-acl.js';
import { stat } from './stat.js';
import { sync } from './sync.js';
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
    getAcl,
    setAcl,
    addauth,
    whoami,
    sync,
    getEphemerals,
    getAllChildrenNumber,
    connect,
    close,
    history,
    version,
    helpFor(() => COMMANDS),
    quit,
  ].map((command) => [command.name, command]),
);
