// Links between servers over TLS (sslQuorum). Both sides show a certificate, which has to be of an authority that the
// other one trusts and for the host in the server line of the one that shows it: so no server can pose as another, nor
// anybody who has no certificate as a server.
//
//   who dials       checks the other's certificate at the end of the handshake, before it sends a byte
//   who is dialled  lets anybody through the handshake, and is asked for an `objection` before a byte is read, and once
//                   more when it is known which server the other one says it is. A handshake that fails ends without a
//                   word; so one that is turned away is told why, as with any other refusal.
//
// ZooKeeper looks up the name of who connects by its address (ssl.quorum.clientHostnameVerification). The server line
// needs no such lookup and says more: not that some name belongs to the address, but that it is this server's.

import { isIP, type Server, type Socket } from 'node:net';
import { checkServerIdentity, connect, createServer, type TLSSocket } from 'node:tls';
import type { ServerConfig } from '../config/index.js';
import type { Logger } from '../logging.js';
import { subjectName } from '../tls/distinguished-name.js';
import { certificateRequest } from '../tls/material.js';
import { MaterialSource } from '../tls/material-source.js';
import { quorumTlsSettings } from '../tls/settings.js';
import { Handshakes } from './handshakes.js';
import { addressOf, type PeerSockets } from './sockets.js';

export interface TlsSocketsOptions {
  /** Its settings say whether who dials needs a certificate. */
  readonly source: MaterialSource;
  /** The certificate of a server that is dialled names its host (ssl.quorum.hostnameVerification). */
  readonly checksHost: boolean;
  /** That of a server that dials as well (ssl.quorum.clientHostnameVerification). */
  readonly checksDialersHost: boolean;
  /** For the handshake of one that has dialled us. */
  readonly handshakeTimeoutMs: number;
  /** Handshakes under way; beyond it the oldest is closed. */
  readonly handshakesMax: number;
}

const HANDSHAKES_MAX = 64;

/** What a certificate says is shown up to here: it may be anybody's. */
const SHOWN_LENGTH_MAX = 200;

/**
 * The sockets of TLS for a member of an ensemble with sslQuorum=true, and how to let go of their files. Throws ConfigError
 * when key material is missing or cannot be used.
 */
export function openTlsSockets(config: ServerConfig, logger: Logger): { sockets: PeerSockets; close(): void } {
  const settings = quorumTlsSettings(config);
  // Who dials always checks the one it dials.
  const source = new MaterialSource(settings, logger, { checksPeers: true, reload: config.quorumTlsReload });
  if (settings.clientAuth !== 'need') {
    logger.warn(
      `ssl.quorum.clientAuth=${settings.clientAuth}: whoever reaches the quorum port can pose as a server without a certificate`,
    );
  }
  const sockets = tlsSockets({
    source,
    checksHost: config.quorumTlsHostnameVerification,
    checksDialersHost: config.quorumTlsHostnameVerification && config.quorumTlsClientHostnameVerification,
    handshakeTimeoutMs: config.electionConnectTimeoutMs,
    handshakesMax: HANDSHAKES_MAX,
  });
  return { sockets, close: () => source.close() };
}

/** Material is read again for the connections to come; links that are open go on. */
export function tlsSockets(options: TlsSocketsOptions): PeerSockets {
  const { source, checksHost, checksDialersHost, handshakeTimeoutMs, handshakesMax } = options;
  const { clientAuth } = source.settings;
  return {
    listen(onSocket, onFailed): Server {
      const { requestCert } = certificateRequest(clientAuth);
      const handshakes = new Handshakes(handshakesMax);
      const server = createServer(
        // `objection` is what rejects.
        { ...source.material, requestCert, rejectUnauthorized: false, handshakeTimeout: handshakeTimeoutMs },
        (socket) => {
          handshakes.done(socket);
          onSocket(socket);
        },
      );
      server.on('connection', (socket: Socket) => handshakes.begin(socket));
      server.on('tlsClientError', (error, socket) => {
        onFailed(error, addressOf(socket));
        socket.destroy();
      });
      source.onChange((material) => server.setSecureContext(material));
      return server;
    },

    dial({ host, port }, onReady): Socket {
      return connect(
        {
          host,
          port,
          ...source.material,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          // By the host that was dialled, which `servername` cannot be if it is an address.
          checkServerIdentity: (_, certificate) => {
            const isGood = !checksHost || checkServerIdentity(host, certificate) === undefined;
            return isGood ? undefined : new Error(notFor(host, certificate));
          },
        },
        onReady,
      );
    },

    objection(socket, host): string | null {
      if (clientAuth === 'none') return null;
      const tls = socket as TLSSocket;
      const certificate = tls.getPeerCertificate();
      // Without one, it is an object without anything in it.
      if (certificate?.raw === undefined) {
        return clientAuth === 'need' ? 'it shows no certificate; ssl.quorum.clientAuth=need asks for one' : null;
      }
      if (!tls.authorized) {
        const why = String(tls.authorizationError);
        return `the certificate of ${ownerOf(certificate)} is not trusted (${why}); see ssl.quorum.trustStore`;
      }
      const isGood = !checksDialersHost || host === undefined || checkServerIdentity(host, certificate) === undefined;
      return isGood ? null : notFor(host, certificate);
    },
  };
}

type Certificate = ReturnType<TLSSocket['getPeerCertificate']>;

function notFor(host: string, certificate: Certificate): string {
  const names = certificate.subjectaltname?.slice(0, SHOWN_LENGTH_MAX) ?? 'no names';
  return `the certificate of ${ownerOf(certificate)} is for ${names}, not for ${host} of the server line (ssl.quorum.hostnameVerification)`;
}

function ownerOf({ raw }: Certificate): string {
  return subjectName(raw).slice(0, SHOWN_LENGTH_MAX);
}
