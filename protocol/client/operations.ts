// Every operation of the client protocol: its number, its request, its response (reference A2). What an operation does
// to the tree stands in src/core/ops, one file each; what a user calls it stands in src/client.

import type { Infer, Type } from '../jute/schema.js';
import { OpCode } from './constants.js';
import { MultiReadRequest, MultiReadResponse, MultiRequest, MultiResponse } from './multi.js';
import * as R from './records.js';

/** A record with no fields. */
export const empty: Type<undefined> = { read: () => undefined, view: () => undefined, write: () => {} };

export type RequestOf<O> = O extends { request: infer T } ? Infer<T> : never;
export type ResponseOf<O> = O extends { response: infer T } ? Infer<T> : never;

function operation<N extends keyof typeof OpCode, Q, QV, S, SV>(name: N, request: Type<Q, QV>, response: Type<S, SV>) {
  return { name, code: OpCode[name], request, response } as const;
}

export const operations = {
  create: operation('create', R.CreateRequest, R.PathResponse),
  create2: operation('create2', R.CreateRequest, R.PathStatResponse),
  createContainer: operation('createContainer', R.CreateRequest, R.PathStatResponse),
  createTTL: operation('createTTL', R.CreateTtlRequest, R.PathStatResponse),
  delete: operation('delete', R.DeleteRequest, empty),
  exists: operation('exists', R.PathWatchRequest, R.StatResponse),
  getData: operation('getData', R.PathWatchRequest, R.DataResponse),
  setData: operation('setData', R.SetDataRequest, R.StatResponse),
  getACL: operation('getACL', R.PathRequest, R.AclResponse),
  setACL: operation('setACL', R.SetAclRequest, R.StatResponse),
  getChildren: operation('getChildren', R.PathWatchRequest, R.ChildrenResponse),
  getChildren2: operation('getChildren2', R.PathWatchRequest, R.ChildrenStatResponse),
  getAllChildrenNumber: operation('getAllChildrenNumber', R.PathRequest, R.CountResponse),
  getEphemerals: operation('getEphemerals', R.GetEphemeralsRequest, R.EphemeralsResponse),
  sync: operation('sync', R.PathRequest, R.PathResponse),
  ping: operation('ping', empty, empty),
  check: operation('check', R.CheckVersionRequest, empty),
  multi: operation('multi', MultiRequest, MultiResponse),
  multiRead: operation('multiRead', MultiReadRequest, MultiReadResponse),
  reconfig: operation('reconfig', R.ReconfigRequest, R.DataResponse),
  addWatch: operation('addWatch', R.AddWatchRequest, R.ErrorResponse),
  checkWatches: operation('checkWatches', R.WatchesOfTypeRequest, empty),
  removeWatches: operation('removeWatches', R.WatchesOfTypeRequest, empty),
  setWatches: operation('setWatches', R.SetWatchesRequest, empty),
  setWatches2: operation('setWatches2', R.SetWatches2Request, empty),
  auth: operation('auth', R.AuthRequest, empty),
  sasl: operation('sasl', R.SaslRequest, R.SaslResponse),
  whoAmI: operation('whoAmI', empty, R.WhoAmIResponse),
  closeSession: operation('closeSession', empty, empty),
} as const;

export type OperationName = keyof typeof operations;

const NAMES = new Map<number, OperationName>(
  (Object.keys(operations) as OperationName[]).map((name) => [operations[name].code, name]),
);

/** The name of an operation by its number; undefined for numbers that no client may send. */
export function operationName(code: number): OperationName | undefined {
  return NAMES.get(code);
}
