/// Every function and operator there is, by the name under which an expression calls it.
enum CELFunction: String, Sendable, CaseIterable {
    // Operators.
    case equal = "_==_"
    case notEqual = "_!=_"
    case less = "_<_"
    case lessOrEqual = "_<=_"
    case greater = "_>_"
    case greaterOrEqual = "_>=_"
    case add = "_+_"
    case subtract = "_-_"
    case multiply = "_*_"
    case divide = "_/_"
    case modulo = "_%_"
    case not = "!_"
    case negate = "-_"
    case contained = "@in"
    case index = "_[_]"
    // Standard.
    case size, contains, startsWith, endsWith, matches
    // Conversions.
    case int, uint, double, bool, string, bytes, timestamp, duration, type, dyn
    // Times.
    case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getHours, getMinutes, getSeconds, getMilliseconds
    // Strings extension.
    case charAt, indexOf, lastIndexOf, join, lowerAscii, upperAscii, replace, reverse, split, substring, trim, format
    case quote = "strings.quote"
    // Math extension.
    case greatest = "math.greatest"
    case least = "math.least"
    case ceil = "math.ceil"
    case floor = "math.floor"
    case round = "math.round"
    case trunc = "math.trunc"
    case abs = "math.abs"
    case sign = "math.sign"
    case sqrt = "math.sqrt"
    case isNaN = "math.isNaN"
    case isInf = "math.isInf"
    case isFinite = "math.isFinite"
    case bitAnd = "math.bitAnd"
    case bitOr = "math.bitOr"
    case bitXor = "math.bitXor"
    case bitNot = "math.bitNot"
    case bitShiftLeft = "math.bitShiftLeft"
    case bitShiftRight = "math.bitShiftRight"
    // Encoders extension.
    case base64Encode = "base64.encode"
    case base64Decode = "base64.decode"

    /// Whether any number of arguments is taken (or one list of them).
    var isVariadic: Bool { self == .greatest || self == .least }
}
