import { peerIdOfPublicKey } from "../../src/domain/peer/NodeId.ts"
import { fromHex } from "../../src/domain/Bytes.ts"

/** A record of a public devnet, of test/vectors/enr. */
export const enr =
  "enr:-PO4QFAZca5TDfbiiCKouERBRao_oLgy5KCPvbezPfhTacxHWlBqfDgsfsghRLBUH9W8bj08v1jkd64UoUjSaWZx-6UHh2F0dG5ldHOIAAAAAAADAACDY2djgYCGY2xpZW502IpMaWdodGhvdXNljDcuMS4wLWJldGEuMIRldGgykIEAExpwk3VEAAEAAAAAAACCaWSCdjSCaXCEn99xd4NuZmSENp-J94RxdWljgiMpiXNlY3AyNTZrMaEDzVa77_o452OzzqylcK2mA0DREidLotbGonvz3nogDS-Ic3luY25ldHMPg3RjcIIjKIN1ZHCCIyg"
export const enrPeerId = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
export const enrNodeId = "0xa26a7ab43efa3c5caaab0c5cc0b134cc1fd7db633e9339b023d57865cb5da905"

/** Another peer: the public key 1·G. */
export const peerId = peerIdOfPublicKey(fromHex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"))

export const multiaddrOf = (peerId: string): string => `/ip4/127.0.0.1/tcp/9000/p2p/${peerId}`
