#include "CRe2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>

struct cre2_pattern {
    RE2 re2;
    cre2_pattern(const re2::StringPiece &text, const RE2::Options &options) : re2(text, options) {}
};

static re2::StringPiece piece(const uint8_t *bytes, size_t count) {
    // An empty Swift buffer may have no address; RE2 must not see a null pointer as "no text".
    return count == 0 ? re2::StringPiece("", 0) : re2::StringPiece(reinterpret_cast<const char *>(bytes), count);
}

static void report(const char *reason, size_t length, char *error, size_t capacity) {
    if (capacity == 0) return;
    size_t kept = std::min(length, capacity - 1);
    std::memcpy(error, reason, kept);
    error[kept] = 0;
}

cre2_pattern *cre2_compile(const uint8_t *bytes, size_t count, int64_t memory_max, char *error, size_t error_capacity) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_longest_match(false);
    options.set_max_mem(memory_max);
    cre2_pattern *pattern = new (std::nothrow) cre2_pattern(piece(bytes, count), options);
    if (pattern == nullptr) {
        report("out of memory", 13, error, error_capacity);
        return nullptr;
    }
    if (!pattern->re2.ok()) {
        report(pattern->re2.error().data(), pattern->re2.error().size(), error, error_capacity);
        delete pattern;
        return nullptr;
    }
    return pattern;
}

bool cre2_matches(const cre2_pattern *pattern, const uint8_t *bytes, size_t count) {
    return pattern->re2.Match(piece(bytes, count), 0, count, RE2::UNANCHORED, nullptr, 0);
}

int cre2_program_size(const cre2_pattern *pattern) { return pattern->re2.ProgramSize(); }

void cre2_free(cre2_pattern *pattern) { delete pattern; }
