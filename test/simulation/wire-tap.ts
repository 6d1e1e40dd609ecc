/**
 * Listens in on the connections of a client that runs the SDK's session, and writes down what goes over them, as the
 * other clients of the simulation do by themselves: the checkers need not know which kind a client is.
 */
import { operationName, operations } from '../../protocol/client/operations.js';
import { readConnectRequest } from '../../protocol/client/packets.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { FrameAssembler } from '../../src/server/net/frames.js';
import {
  type LinkTap,
  PacketReader,
  type Received,
  type VirtualLink,
  type VirtualWorld,
} from '../../src/testing/index.js';
import type { Observation } from './history.js';

const FRAME_BYTES_MAX = 16_777_216;

/** One connection, from its connect request on. */
interface Conversation {
  readonly connection: number;
  readonly sent: FrameAssembler;
  readonly replies: PacketReader;
  isOpened: boolean;
  sessionId: bigint;
}

export class WireTap implements LinkTap {
  private readonly conversations = new Map<VirtualLink, Conversation>();

  constructor(
    private readonly client: number,
    private readonly world: VirtualWorld,
    private readonly observe: (observation: Observation) => void,
    private readonly nextConnection: () => number,
  ) {}

  sent(link: VirtualLink, bytes: Uint8Array): void {
    const conversation = this.conversations.get(link) ?? this.begin(link);
    conversation.sent.feed(bytes, (frames, start, end) => {
      const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
      for (let at = start; at < end; ) {
        const frameEnd = at + 4 + view.getInt32(at);
        this.packet(link, conversation, new JuteReader(frames, at + 4, frameEnd));
        at = frameEnd;
      }
    });
  }

  received(link: VirtualLink, bytes: Uint8Array): void {
    this.conversations.get(link)?.replies.feed(bytes);
  }

  closed(link: VirtualLink): void {
    const conversation = this.conversations.get(link);
    if (conversation !== undefined) this.receivedItem(conversation, { kind: 'closed' });
  }

  private begin(link: VirtualLink): Conversation {
    const conversation: Conversation = {
      connection: this.nextConnection(),
      sent: new FrameAssembler(FRAME_BYTES_MAX),
      replies: new PacketReader((item) => this.receivedItem(conversation, item)),
      isOpened: false,
      sessionId: 0n,
    };
    this.conversations.set(link, conversation);
    return conversation;
  }

  private packet(link: VirtualLink, conversation: Conversation, reader: JuteReader): void {
    if (!conversation.isOpened) {
      conversation.isOpened = true;
      const { sessionId, lastZxidSeen } = readConnectRequest(reader);
      conversation.sessionId = sessionId;
      const server = link.server.id;
      const common = this.common(conversation);
      this.observe({ ...common, kind: 'connecting', server, sessionId, lastZxidSeen: Number(lastZxidSeen) });
      return;
    }
    const xid = reader.int();
    const operation = operationName(reader.int());
    if (operation === undefined) throw new Error('the client has sent what is no operation');
    conversation.replies.expect(xid, operation);
    const request = operations[operation].request.read(reader);
    const { sessionId } = conversation;
    this.observe({ ...this.common(conversation), kind: 'sent', sessionId, xid, operation, request });
  }

  private receivedItem(conversation: Conversation, item: Received): void {
    if (item.kind === 'connect') conversation.sessionId = item.sessionId;
    this.observe({ ...this.common(conversation), kind: 'received', sessionId: conversation.sessionId, item });
  }

  private common({ connection }: Conversation) {
    return { timeMs: this.world.nowMs, client: this.client, connection };
  }
}
