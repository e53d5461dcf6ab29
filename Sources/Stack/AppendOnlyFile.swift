internal import Foundation
internal import Glibc

/// The end of Redis's append-only file, made whole before Redis reads it.
///
/// A kill within a write leaves half a command there, and Redis would cut that off itself. But what a function changes is a group, between MULTI
/// and EXEC, and of that Redis 7.0 keeps the commands that are whole, with the MULTI, and writes on behind them: at the start after that everything
/// up to the next EXEC counts as the group, half of what nobody was told about is carried out, and where no EXEC follows all of it is dropped
/// (valkey-io/valkey#4342). Cut at the MULTI, the file ends as if the function had not been called.
///
/// Ours rather than `redis-check-aof --fix`, which cuts at the first fault wherever it is: one bad byte in the middle would cost all that follows.
package enum AppendOnlyFile {
    /// Cuts off what is not whole at the end of the file that Redis will write on in `folder`.
    ///
    /// - Parameter copy: a file that keeps what was cut off, the last time only.
    /// - Returns: how many bytes that were; 0 when the file is whole, or none is there.
    static func makeWhole(in folder: String, keeping copy: String) throws(StackError) -> Int {
        guard let path = current(in: folder), access(path, F_OK) == 0 else { return 0 }
        let (size, whole): (Int, Int)
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
            (size, whole) = (data.count, wholeBytes(data.span))
            guard whole < size else { return 0 }
            try data[whole...].write(to: URL(fileURLWithPath: copy))
        } catch {
            throw .folderUnusable(path: path, reason: error.localizedDescription)
        }
        guard truncate(path, whole) == 0 else { throw Folder.failure(path) }
        return size - whole
    }

    /// The file that the manifest names last for what is appended.
    ///
    /// - Source: Redis 7, aof.c: lines of `file <name> seq <number> type <b|h|i>`.
    private static func current(in folder: String) -> String? {
        guard let text = try? String(contentsOfFile: folder + "/appendonly.aof.manifest", encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        return lines.last { $0.count >= 6 && $0[5] == "i" }.map { "\(folder)/\($0[1])" }
    }

    /// How much of `file` is whole commands and groups. All of it where it holds what Redis would not write: Redis shall say so, and nothing be cut.
    ///
    /// A group that an earlier kill has left open, with what was written behind it, is no end: that was acknowledged. Where an EXEC follows Redis closes it
    /// there; where none does Redis refuses to start, and a person has to look.
    package static func wholeBytes(_ file: Span<UInt8>) -> Int {
        var reader = CommandReader()
        var group: Int?
        var isOld = false
        var last = CommandReader.Command.other
        while true {
            let begin = reader.place
            let command = reader.next(in: file)
            switch command {
            case .multi:
                isOld = group != nil
                group = begin
            case .exec: (group, isOld) = (nil, false)
            // What a new process of Redis writes first; some versions write it at the beginning of a group, none within.
            case .select: if group != nil, last != .multi { isOld = true }
            case .other: break
            case .end: return isOld ? file.count : group ?? begin
            case .fault: return file.count
            }
            last = command
        }
    }
}

/// Goes over commands of the Redis protocol, from one to the next.
private struct CommandReader {
    enum Command {
        case multi, exec, select, other
        /// No whole command is left.
        case end
        /// No command.
        case fault
    }

    private(set) var place = 0

    mutating func next(in file: Span<UInt8>) -> Command {
        guard place < file.count else { return .end }
        // A line of its own: the time at which it was written.
        if file[place] == UInt8(ascii: "#") {
            while place < file.count, file[place] != UInt8(ascii: "\n") { place += 1 }
            guard place < file.count else { return .end }
            place += 1
            return .other
        }
        let count: Int
        switch number(behind: UInt8(ascii: "*"), in: file) {
        case .value(let value): count = value
        case .end: return .end
        case .fault: return .fault
        }
        var command = Command.other
        for index in 0..<count {
            switch number(behind: UInt8(ascii: "$"), in: file) {
            case .value(let length):
                guard length <= file.count - place - 2 else { return .end }
                if index == 0 { command = CommandReader.word(file.extracting(place..<place + length)) }
                place += length + 2
            case .end: return .end
            case .fault: return .fault
            }
        }
        return command
    }

    private enum Number {
        case value(Int), end, fault
    }

    /// The number of a line that begins with `mark`.
    private mutating func number(behind mark: UInt8, in file: Span<UInt8>) -> Number {
        guard place < file.count else { return .end }
        guard file[place] == mark else { return .fault }
        place += 1
        var value = 0
        let begin = place
        while place < file.count, file[place] != 0x0D {
            guard (0x30...0x39).contains(file[place]), place - begin < 12 else { return .fault }
            value = value * 10 + Int(file[place] - 0x30)
            place += 1
        }
        guard place + 1 < file.count else { return .end }
        guard place > begin, file[place + 1] == 0x0A else { return .fault }
        place += 2
        return .value(value)
    }

    private static let multi = Array("MULTI".utf8)
    private static let exec = Array("EXEC".utf8)
    private static let select = Array("SELECT".utf8)

    private static func word(_ bytes: Span<UInt8>) -> Command {
        guard (4...6).contains(bytes.count) else { return .other }
        let upper = bytes.indices.map { bytes[$0] & 0xDF }
        return upper == multi ? .multi : upper == exec ? .exec : upper == select ? .select : .other
    }
}
