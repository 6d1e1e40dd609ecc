// All commands of the shell, in the order in which help lists them. A new one is a file here and a line below.

import type { Command } from '../command.js';
import { addWatch } from './add-watch.js';
import { addauth } from './addauth.js';
import { cat } from './cat.js';
import { close } from './close.js';
import { config } from './config.js';
import { connect } from './connect.js';
import { cp } from './cp.js';
import { create } from './create.js';
import { deleteCommand } from './delete.js';
import { deleteall } from './deleteall.js';
import { delquota } from './delquota.js';
import { diff } from './diff.js';
import { du } from './du.js';
import { edit } from './edit.js';
import { exportCommand } from './export.js';
import { find } from './find.js';
import { get } from './get.js';
import { getAcl } from './get-acl.js';
import { getAllChildrenNumber } from './get-all-children-number.js';
import { getEphemerals } from './get-ephemerals.js';
import { helpFor } from './help.js';
import { history } from './history.js';
import { importCommand } from './import.js';
import { listquota } from './listquota.js';
import { locks } from './locks.js';
import { ls } from './ls.js';
import { mv } from './mv.js';
import { owner } from './owner.js';
import { printwatches } from './printwatches.js';
import { quit } from './quit.js';
import { reconfig } from './reconfig.js';
import { redo } from './redo.js';
import { removewatches } from './removewatches.js';
import { session } from './session.js';
import { set } from './set.js';
import { setAcl } from './set-acl.js';
import { setquota } from './setquota.js';
import { stat } from './stat.js';
import { sync } from './sync.js';
import { tree } from './tree.js';
import { version } from './version.js';
import { watch } from './watch.js';
import { watchStats } from './watch-stats.js';
import { whoami } from './whoami.js';

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [
    ls,
    get,
    cat,
    set,
    edit,
    create,
    deleteCommand,
    deleteall,
    stat,
    tree,
    find,
    du,
    cp,
    mv,
    diff,
    exportCommand,
    importCommand,
    getAcl,
    setAcl,
    addauth,
    whoami,
    watch,
    addWatch,
    removewatches,
    printwatches,
    owner,
    locks,
    session,
    watchStats,
    setquota,
    listquota,
    delquota,
    sync,
    config,
    reconfig,
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
