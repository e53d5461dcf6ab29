/// One form of a function: the types it takes and gives. Unknown types are parameters.
struct CELOverload: Sendable {
    /// Called behind a dot; then the first parameter stands before the dot.
    let isMethod: Bool
    let parameters: [CELType]
    let result: CELType

    /// The forms of each function.
    /// - Source: cel-spec langdef.md, "List of Standard Definitions"; cel-go's ext package for strings, math and encoders.
    static let all: [CELFunction: [CELOverload]] = {
        var all: [CELFunction: [CELOverload]] = [:]
        for (functions, overloads) in operators + standard + times + strings + math {
            for function in functions { all[function, default: []] += overloads }
        }
        return all
    }()

    private typealias Table = [([CELFunction], [CELOverload])]

    private static func function(_ parameters: CELType..., to result: CELType) -> CELOverload {
        CELOverload(isMethod: false, parameters: parameters, result: result)
    }

    private static func method(_ parameters: CELType..., to result: CELType) -> CELOverload {
        CELOverload(isMethod: true, parameters: parameters, result: result)
    }

    private static let a = CELType.unknown(0)
    private static let b = CELType.unknown(1)
    private static let numbers: [CELType] = [.int, .uint, .double]

    private static let operators: Table = [
        ([.equal, .notEqual], [function(a, a, to: .bool)]),
        (
            [.less, .lessOrEqual, .greater, .greaterOrEqual],
            [CELType.bool, .string, .bytes, .timestamp, .duration].map { function($0, $0, to: .bool) }
                + numbers.flatMap { left in numbers.map { function(left, $0, to: .bool) } }
        ),
        ([.add, .subtract, .multiply, .divide], numbers.map { function($0, $0, to: $0) }),
        (
            [.add],
            [
                function(.string, .string, to: .string), function(.bytes, .bytes, to: .bytes), function(.list(a), .list(a), to: .list(a)),
                function(.timestamp, .duration, to: .timestamp), function(.duration, .timestamp, to: .timestamp),
                function(.duration, .duration, to: .duration),
            ]
        ),
        (
            [.subtract],
            [
                function(.timestamp, .timestamp, to: .duration), function(.timestamp, .duration, to: .timestamp),
                function(.duration, .duration, to: .duration),
            ]
        ),
        ([.modulo], [function(.int, .int, to: .int), function(.uint, .uint, to: .uint)]),
        ([.not], [function(.bool, to: .bool)]),
        ([.negate], [function(.int, to: .int), function(.double, to: .double)]),
        ([.contained], [function(a, .list(a), to: .bool), function(a, .map(a, b), to: .bool)]),
        ([.index], [function(.list(a), .int, to: a), function(.map(a, b), a, to: b)]),
    ]

    private static let standard: Table = [
        ([.size], [CELType.string, .bytes, .list(a), .map(a, b)].flatMap { [function($0, to: .int), method($0, to: .int)] }),
        ([.contains, .startsWith, .endsWith, .matches], [method(.string, .string, to: .bool)]),
        ([.matches], [function(.string, .string, to: .bool)]),
        ([.int], [CELType.int, .uint, .double, .string, .timestamp].map { function($0, to: .int) }),
        ([.uint], [CELType.int, .uint, .double, .string].map { function($0, to: .uint) }),
        ([.double], [CELType.int, .uint, .double, .string].map { function($0, to: .double) }),
        ([.bool], [CELType.bool, .string].map { function($0, to: .bool) }),
        ([.string], [CELType.bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration].map { function($0, to: .string) }),
        ([.bytes], [CELType.bytes, .string].map { function($0, to: .bytes) }),
        ([.timestamp], [CELType.timestamp, .string, .int].map { function($0, to: .timestamp) }),
        ([.duration], [CELType.duration, .string].map { function($0, to: .duration) }),
        ([.type], [function(a, to: .type)]),
        ([.dyn], [function(a, to: .dyn)]),
    ]

    private static let times: Table = [
        (
            [.getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes, .getSeconds, .getMilliseconds],
            [method(.timestamp, to: .int), method(.timestamp, .string, to: .int)]
        ),
        ([.getHours, .getMinutes, .getSeconds, .getMilliseconds], [method(.duration, to: .int)]),
    ]

    private static let strings: Table = [
        ([.charAt], [method(.string, .int, to: .string)]),
        ([.indexOf, .lastIndexOf], [method(.string, .string, to: .int), method(.string, .string, .int, to: .int)]),
        ([.join], [method(.list(.string), to: .string), method(.list(.string), .string, to: .string)]),
        ([.lowerAscii, .upperAscii, .reverse, .trim], [method(.string, to: .string)]),
        ([.replace], [method(.string, .string, .string, to: .string), method(.string, .string, .string, .int, to: .string)]),
        ([.split], [method(.string, .string, to: .list(.string)), method(.string, .string, .int, to: .list(.string))]),
        ([.substring], [method(.string, .int, to: .string), method(.string, .int, .int, to: .string)]),
        ([.format], [method(.string, .list(.dyn), to: .string)]),
        ([.quote], [function(.string, to: .string)]),
        ([.base64Encode], [function(.bytes, to: .string)]),
        ([.base64Decode], [function(.string, to: .bytes)]),
    ]

    private static let math: Table = [
        ([.ceil, .floor, .round, .trunc], [function(.double, to: .double)]),
        ([.abs, .sign], numbers.map { function($0, to: $0) }),
        ([.sqrt], numbers.map { function($0, to: .double) }),
        ([.isNaN, .isInf, .isFinite], [function(.double, to: .bool)]),
        ([.bitAnd, .bitOr, .bitXor], [function(.int, .int, to: .int), function(.uint, .uint, to: .uint)]),
        ([.bitNot], [function(.int, to: .int), function(.uint, to: .uint)]),
        ([.bitShiftLeft, .bitShiftRight], [function(.int, .int, to: .int), function(.uint, .int, to: .uint)]),
    ]
}
