import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface"
import { noise, type NoiseComponents } from "@libp2p/noise"

/**
 * Noise, whose messages go to the socket in one piece. The library hands over the length and then the message: two system
 * calls, and most often two packets, for each.
 */
export const noiseInOnePiece =
  () =>
  (components: NoiseComponents): ConnectionEncrypter => {
    const encrypter = noise()(components)
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = (connection, options) => inbound(inOnePiece(connection), options)
    encrypter.secureOutbound = (connection, options) => outbound(inOnePiece(connection), options)
    return encrypter
  }

/** Joins what is sent on this connection, from now on; what comes of more than one message of Noise is sent as it is. */
const inOnePiece = (connection: MessageStream): MessageStream => {
  const send = connection.send.bind(connection)
  connection.send = (data) => send(data.byteLength > largestMessage ? data : data.subarray())
  return connection
}

/** Of Noise, with its length in front. */
const largestMessage = 2 + 65_535
