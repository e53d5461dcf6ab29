import CNats
import Glibc

/// Makes a nats.c message with a preformatted header block, copying `payload` into it.
///
/// nats.c's public way to headers (`natsMsgHeader_Set`: a hash entry and two allocations each) costs 0.8 µs per header here, 4 µs per message,
/// a fifth of the whole publish. The library has what we want, `natsMsg_create`, which its reader uses for messages from the wire, and
/// exports it, but does not declare it. So it is used only where the loaded library is the very version it was tried with, and the public
/// way otherwise, or where `NATSOptions.preformatsHeaders` is off; a test holds both to the same headers and payload.
func createMessage(
    _ message: inout OpaquePointer?, _ subject: String, _ reply: String?, _ headers: [UInt8], _ payload: [UInt8], preformatted: Bool
) -> natsStatus {
    if preformatted, !headers.isEmpty, let create = wireCreate { return createMessage(&message, subject, reply, headers, payload, by: create) }
    return createMessagePublicly(&message, subject, reply, headers, payload)
}

/// The public way.
private func createMessagePublicly(
    _ message: inout OpaquePointer?, _ subject: String, _ reply: String?, _ headers: [UInt8], _ payload: [UInt8]
) -> natsStatus {
    let status = payload.withUnsafeBytes { bytes in
        withOptionalCString(reply) { reply in
            natsMsg_Create(&message, subject, reply, bytes.baseAddress, Int32(bytes.count))
        }
    }
    if status != NATS_OK { return status }
    for line in headers.split(separator: 10).dropFirst() {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        let value = String(decoding: line[(colon + 2)...].dropLast(), as: UTF8.self)
        let added = natsMsgHeader_Add(message, name, value)
        if added != NATS_OK {
            natsMsg_Destroy(message)
            message = nil
            return added
        }
    }
    return NATS_OK
}

private typealias WireCreate =
    @convention(c) (
        UnsafeMutablePointer<OpaquePointer?>, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>?, Int32, UnsafeRawPointer?, Int32, Int32
    ) -> UInt32

private let wireCreate: WireCreate? = {
    guard String(cString: nats_GetVersion()) == "3.4.1", let symbol = dlsym(nil, "natsMsg_create") else { return nil }
    return unsafeBitCast(symbol, to: WireCreate.self)
}()

private func createMessage(
    _ message: inout OpaquePointer?, _ subject: String, _ reply: String?, _ headers: [UInt8], _ payload: [UInt8], by create: WireCreate
) -> natsStatus {
    let total = headers.count + payload.count
    return withUnsafeTemporaryAllocation(byteCount: total, alignment: 1) { buffer in
        buffer.copyBytes(from: headers)
        payload.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: buffer[headers.count...]).copyMemory(from: bytes)
        }
        return withOptionalCString(reply) { reply in
            subject.withCString { subject in
                let replyLength = reply.map { Int32(strlen($0)) } ?? 0
                return natsStatus(
                    create(
                        &message, subject, Int32(strlen(subject)), reply, replyLength, buffer.baseAddress, Int32(total), Int32(headers.count)))
            }
        }
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
