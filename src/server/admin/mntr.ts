// The word `mntr`: gauges, counters and summaries, `zk_name TAB value`, in ZooKeeper's order. Names are ZooKeeper's, as
// dashboards know them; those of its thread pools and buffers, which have no counterpart here, are left out.

import type { MetricFacts, ServerFacts, SummaryFacts } from './server-facts.js';

/** Counters that are always printed, 0 until something was counted. */
export const COUNTERS: readonly string[] = [
  'proposal_count',
  'watch_bytes',
  'throttled_ops',
  'stale_requests_dropped',
  'large_requests_rejected',
  'connection_rejected',
  'cnxn_closed_without_zk_server_running',
  'sessionless_connections_expired',
  'looking_count',
  'stale_requests',
  'connection_drop_count',
  'learner_proposal_received_count',
  'digest_mismatches_count',
  'bytes_received_count',
  'request_throttle_wait_count',
  'ensemble_auth_success',
  'learner_commit_received_count',
  'stale_replies',
  'connection_request_count',
  'response_bytes',
  'ensemble_auth_fail',
  'diff_count',
  'connection_revalidate_count',
  'quit_leading_due_to_disloyal_voter',
  'snap_count',
  'unrecoverable_error_count',
  'unsuccessful_handshake',
  'commit_count',
  'stale_sessions_expired',
  'ensemble_auth_skip',
  'tls_handshake_exceeded',
  'revalidate_count',
];

/** Summaries that are always printed, by name: average, least, greatest, count, sum. */
export const SUMMARIES: readonly string[] = [
  'leader_unavailable_time',
  'node_created_watch_count',
  'connection_token_deficit',
  'node_deleted_watch_count',
  'startup_txns_load_time',
  'sync_processor_queue_size',
  'follower_sync_time',
  'prep_processor_queue_size',
  'fsynctime',
  'inflight_snap_count',
  'snapshottime',
  'unavailable_time',
  'startup_txns_loaded',
  'dbinittime',
  'inflight_diff_count',
  'election_time',
  'sync_processor_batch_size',
  'node_children_watch_count',
  'observer_sync_time',
  'node_changed_watch_count',
  'startup_snap_load_time',
];

/** Summaries that are always printed, with percentiles behind. */
export const PERCENTILE_SUMMARIES: readonly string[] = [
  'prep_processor_queue_time_ms',
  'jvm_pause_time_ms',
  'close_session_prep_time',
  'updatelatency',
  'readlatency',
  'quorum_ack_latency',
  'commit_propagation_latency',
  'proposal_ack_creation_latency',
  'proposal_latency',
  'propagation_latency',
  'sync_processor_queue_flush_time_ms',
];

const EMPTY: SummaryFacts = { count: 0, sum: 0, min: 0, max: 0 };
const PERCENTILE_NAMES = ['p50', 'p95', 'p99', 'p999'] as const;

/** A name without `zk_`; a fraction is text, as Java prints it. */
export type Pair = readonly [name: string, value: string | number];

/** Every line of `mntr`, without line ends. */
export function mntrLines(facts: ServerFacts): string[] {
  return mntrPairs(facts).map(([name, value]) => `zk_${name}\t${value}`);
}

/** What those lines say. Metrics that ZooKeeper does not have come last in their kind. */
export function mntrPairs(facts: ServerFacts): Pair[] {
  return [...gauges(facts), ...measured(facts.metrics())];
}

/** What is so now, in contrast to what was counted or measured so far. */
export function gauges(facts: ServerFacts): Pair[] {
  const { ensemble, leader } = facts;
  const fileDescriptors = facts.fileDescriptors();
  const onLeader = (name: string, value: number | undefined): Pair[] => (value === undefined ? [] : [[name, value]]);
  return [
    ['version', facts.version],
    ['server_state', facts.mode],
    ...(ensemble === undefined ? [] : ([['peer_state', ensemble.peerState]] as const)),
    ['ephemerals_count', facts.ephemeralCount],
    ['num_alive_connections', facts.connections.length],
    ['avg_latency', javaDouble(facts.averageLatencyMs)],
    ...onLeader('min_proposal_size', leader?.minProposalBytes),
    ['outstanding_requests', facts.outstandingRequests],
    ['znode_count', facts.nodeCount],
    ['global_sessions', facts.globalSessions],
    ['non_mtls_remote_conn_count', 0],
    ['last_client_response_size', facts.lastClientResponseBytes],
    ['packets_sent', facts.packetsSent],
    ['packets_received', facts.packetsReceived],
    ...onLeader('max_proposal_size', leader?.maxProposalBytes),
    ['max_client_response_size', facts.maxClientResponseBytes],
    ...onLeader('synced_followers', leader?.syncedFollowers),
    ['connection_drop_probability', javaDouble(facts.connectionDropProbability)],
    ['watch_count', facts.watchCount],
    ...onLeader('synced_non_voting_followers', leader?.syncedNonVotingFollowers),
    ...onLeader('synced_observers', leader?.syncedObservers),
    ['auth_failed_count', facts.authFailures],
    ['min_latency', facts.minLatencyMs],
    ['max_file_descriptor_count', fileDescriptors.max],
    ['approximate_data_size', facts.approximateDataBytes],
    ['open_file_descriptor_count', fileDescriptors.open],
    ...onLeader('last_proposal_size', leader?.lastProposalBytes),
    ...onLeader('pending_syncs', leader?.pendingSyncs),
    ...onLeader('leader_uptime', leader?.leaderUptimeMs),
    ['local_sessions', facts.localSessions],
    ['uptime', facts.uptimeMs],
    ['max_latency', facts.maxLatencyMs],
    ['outstanding_tls_handshake', facts.outstandingHandshakes ?? 0],
    ...onLeader('learners', leader?.learners),
    ['min_client_response_size', facts.minClientResponseBytes],
    ['non_mtls_local_conn_count', 0],
    ...onLeader('quorum_size', ensemble?.quorumSize),
  ];
}

function measured({ counters, summaries }: MetricFacts): Pair[] {
  const known = new Set([...SUMMARIES, ...PERCENTILE_SUMMARIES]);
  const others = [...summaries.keys()].filter((name) => !known.has(name));
  const withPercentiles = (name: string): boolean => summaries.get(name)?.percentiles !== undefined;
  const simple = [...SUMMARIES, ...others.filter((name) => !withPercentiles(name))];
  const rich = [...PERCENTILE_SUMMARIES, ...others.filter(withPercentiles)];
  return [
    ...COUNTERS.map((name) => [name, counters.get(name) ?? 0] as const),
    ...[...counters].filter(([name]) => !COUNTERS.includes(name)),
    ...simple.flatMap((name) => summaryPairs(name, summaries.get(name) ?? EMPTY)),
    ...rich.flatMap((name) => {
      const summary = summaries.get(name) ?? EMPTY;
      const { percentiles = [0, 0, 0, 0] } = summary;
      const tail = PERCENTILE_NAMES.map((percentile, index) => [`${percentile}_${name}`, percentiles[index]!] as const);
      return [...summaryPairs(name, summary), ...tail];
    }),
  ];
}

function summaryPairs(name: string, { count, sum, min, max }: SummaryFacts): Pair[] {
  return [
    [`avg_${name}`, javaDouble(count === 0 ? 0 : sum / count)],
    [`min_${name}`, min],
    [`max_${name}`, max],
    [`cnt_${name}`, count],
    [`sum_${name}`, sum],
  ];
}

/** As Java prints a double that was rounded to four places: `0.0`, `1.7143`. */
export function javaDouble(value: number): string {
  const text = String(Math.round(value * 10_000) / 10_000);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
