import Core
import Ingress
import Log
import Testing

@Suite("Room for bodies")
struct BodyRoomTests {
    @Test("Large bodies share a room, which they give back; a body of a message's size is always let in") func shared() throws {
        let room = BodyRoom()
        var shares: [BodyRoom.Share] = []
        func take(_ bytes: Int) throws {
            let share = room.share()
            for _ in 0..<(bytes >> 16) { try share.grow(by: 1 << 16) }
            shares.append(share)
        }
        for _ in 0..<4 { try take(Limits.bodyBytesMax) }
        let late = room.share()
        #expect(throws: LogError.self) { for _ in 0..<(Limits.bodyBytesMax >> 16) { try late.grow(by: 1 << 16) } }
        // What did not fit weighs nothing once it has gone.
        late.giveBack()
        for _ in 0..<1_000 { try take(Limits.messageBytesMax) }
        shares.removeFirst().giveBack()
        try take(Limits.bodyBytesMax)
        for share in shares { share.giveBack() }
        for _ in 0..<4 { try take(Limits.bodyBytesMax) }
    }
}
